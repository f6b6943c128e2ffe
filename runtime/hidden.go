package party

import (
	"context"
	"errors"
	"strings"

	"github.com/goparty-dev/party/runtime/storage"
)

// ErrReservedKey says that a storage key begins with the byte 0x00: those are the
// runtime's own.
var ErrReservedKey = errors.New("party: storage keys must not begin with the byte 0x00")

// What the runtime stores beside a room's own entries has keys that begin
// with 0x00. Room code can neither name nor see nor remove them.
const (
	hidden        = "\x00"
	hiddenEnd     = "\x01"
	hiddenField   = hidden + "field/"  // and the field's name
	hiddenVersion = hidden + "version" // of the room's data, decimal; see DataMigration
)

// visible cuts the hidden keys off a range that room code asks for.
func visible(r storage.Range) storage.Range {
	if r.After < hiddenEnd {
		r.After = ""
		r.Start = max(r.Start, hiddenEnd)
	}
	return r
}

// hiddenEntries returns what the runtime has stored in the room, as the running turn sees it.
func (i *instance) hiddenEntries(ctx context.Context) ([]Entry, error) {
	r := storage.Range{Prefix: hidden}
	var stored []storage.Entry
	if i.writes.cleared() < 0 {
		var err error
		if stored, err = i.seat.List(ctx, r); err != nil {
			return nil, err
		}
	}
	return merge(stored, i.writes.overlay(r), false, 0), nil
}

func isHidden(key string) bool { return strings.HasPrefix(key, hidden) }
