package sqlite

import (
	"slices"
	"strings"

	"github.com/goparty-dev/party/runtime/storage"
)

// overlay is what the pending commits of one room will have changed, as reads
// have to see it already. The zero overlay changes nothing.
type overlay struct {
	cleared uint64 // number of the newest pending commit that clears the room; 0 for none
	writes  map[string]write
}

// write is the newest pending write to a key.
type write struct {
	value   []byte
	number  uint64 // of its commit
	deleted bool
}

// keptWrites is how many keys an overlay may have had for its map to be kept
// for the next commit.
const keptWrites = 32

// add lays the commit with this number over those before it.
func (o *overlay) add(c *storage.Commit, number uint64) {
	if c.Clear {
		o.cleared = number
		clear(o.writes)
	}
	if o.writes == nil && len(c.Ops) > 0 {
		o.writes = make(map[string]write, len(c.Ops))
	}
	for i := range c.Ops {
		op := &c.Ops[i]
		o.writes[op.Key] = write{value: op.Value, number: number, deleted: op.Delete}
	}
}

// remove takes away what the commit with this number has laid and no later one has
// laid over.
func (o *overlay) remove(c *storage.Commit, number uint64) {
	if o.cleared == number {
		o.cleared = 0
	}
	large := len(o.writes) > keptWrites
	for i := range c.Ops {
		key := c.Ops[i].Key
		if w, ok := o.writes[key]; ok && w.number == number {
			delete(o.writes, key)
		}
	}
	if large && len(o.writes) == 0 {
		o.writes = nil
	}
}

// get looks a key up. decided is false when what is stored counts.
func (o *overlay) get(key string) (value []byte, exists, decided bool) {
	if o == nil {
		return nil, false, false
	}
	if w, ok := o.writes[key]; ok {
		return w.value, !w.deleted, true
	}
	return nil, false, o.cleared != 0
}

// pendingWrite is a write with its key.
type pendingWrite struct {
	key string
	write
}

// within returns the writes to keys in r, in no order.
func (o *overlay) within(r storage.Range) []pendingWrite {
	if o == nil || len(o.writes) == 0 {
		return nil
	}
	lo, hi := r.Bounds()
	var found []pendingWrite
	for key, w := range o.writes {
		if key >= lo && (hi == "" || key < hi) {
			found = append(found, pendingWrite{key, w})
		}
	}
	return found
}

// order sorts writes by key, as the range wants it.
func order(writes []pendingWrite, r storage.Range) {
	slices.SortFunc(writes, func(a, b pendingWrite) int {
		if r.Reverse {
			a, b = b, a
		}
		return strings.Compare(a.key, b.key)
	})
}
