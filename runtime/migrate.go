package party

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// Errors of data migrations.
var (
	// ErrMigrating says that a data migration tried to await, sync, or call another room: it would be committed
	// in parts.
	ErrMigrating = errors.New("party: a data migration is one commit: it must not await, sync or call other rooms")
	// ErrNewerData says that newer code has migrated the room's data.
	ErrNewerData = errors.New("party: the room's data is of a newer version than this code")
)

// Migration is a recorded change in the set of parties, by their names in
// URLs and in the store; see [storage.Migration]. The Go types behind the names do not matter.
type Migration = storage.Migration

// Rename moves the rooms of a party to another.
type Rename = storage.Rename

// DataMigration brings what a room has stored to a version of its data. It runs once per room, on
// the room's first wake under code that has it, before OnStart, with persisted fields restored. All that a
// room has to catch up with is one commit, with the version's number; if one fails, the room
// stays as it was, whoever waited gets an error, and the next event tries again. A migration must
// not await.
//
// Data that no migration has touched is of version 1, and that is what a room type without migrations knows:
// code that is older than the data of a room refuses the room with ErrNewerData. A room without any data and without an alarm is of
// the newest version: there is nothing to migrate.
type DataMigration struct {
	Version int // from 2, ascending
	Func    func(ctx context.Context) error
}

// unfitError says that this code and the room's data do not fit.
type unfitError struct{ error }

func (e *unfitError) Unwrap() error { return e.error }

// maxUnfit is how many bytes of such an error are told to the platform.
const maxUnfit = 500

// reportUnfit tells the platform if that is why the room did not start: a new version may be gone back from for it.
func (i *instance) reportUnfit(err error) {
	var unfit *unfitError
	if !errors.As(err, &unfit) {
		return
	}
	text := unfit.Error()
	i.emit(link.Effect{Op: link.Migrated, Data: strings.ToValidUTF8(text[:min(len(text), maxUnfit)], "")})
}

// migrateData runs what the room's data has not been through, and refuses data that has been through more than there is here.
func (i *instance) migrateData(stored map[string][]byte) error {
	i.stamp = 0
	steps, newest := i.hooks.Migrate, 1
	if len(steps) > 0 {
		newest = steps[len(steps)-1].Version
	}
	version, err := i.dataVersion(stored, newest)
	switch {
	case err != nil:
		return fmt.Errorf("version of the room's data: %w", err)
	case version > newest:
		return &unfitError{fmt.Errorf("%w: it is %d, and %s knows %d", ErrNewerData, version, i.def.Type, newest)}
	case version == newest:
		return nil
	}
	i.migrating = true
	defer func() { i.migrating = false }()
	for _, s := range steps {
		if s.Version <= version {
			continue
		}
		if err := i.protect(func() error { return s.Func(i.ctx) }); err != nil {
			return &unfitError{fmt.Errorf("migrate the room's data to version %d: %w", s.Version, err)}
		}
		i.setVersion(s.Version)
	}
	i.emit(link.Effect{Op: link.Migrated})
	return nil
}

// dataVersion returns the version of what is stored.
func (i *instance) dataVersion(stored map[string][]byte, newest int) (int, error) {
	if v, ok := stored[hiddenVersion]; ok {
		return strconv.Atoi(string(v))
	}
	if newest == 1 {
		return 1, nil
	}
	empty := i.empty
	if !empty && i.writes.at.IsZero() {
		any, err := i.seat.List(i.ctx, storage.Range{Limit: 1})
		if err != nil {
			return 0, err
		}
		empty = len(any) == 0
	}
	if !empty {
		return 1, nil
	}
	// Nothing is written until there is something that has a version.
	i.stamp = newest
	return newest, nil
}

// stampVersion records the version of a room that had no data, with the first data.
func (i *instance) stampVersion() {
	if i.stamp == 0 || len(i.writes.log) == 0 && i.writes.alarm != setAlarm {
		return
	}
	i.setVersion(i.stamp)
	i.stamp = 0
}

func (i *instance) setVersion(n int) {
	i.writes.firm = true
	i.writes.add(storage.Op{Key: hiddenVersion, Value: strconv.AppendInt(nil, int64(n), 10)})
}

// mayFlush prepares the commit of a part of a turn whose callback goes on, or says why it cannot be.
func (i *instance) mayFlush() error {
	if i.migrating {
		return ErrMigrating
	}
	return i.saveFields()
}

// StoredField decodes the stored value of a persisted field into v, a pointer, and reports whether
// there is one. It is for data migrations: the field need not exist any more, or may
// have had another type.
func (r *Room) StoredField(ctx context.Context, name string, v any) (bool, error) {
	s := r.Storage()
	if err := s.inTurn(ctx); err != nil {
		return false, err
	}
	data, ok, err := s.load(ctx, fieldKey(name))
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("decode field %q: %w", name, err)
	}
	return true, nil
}
