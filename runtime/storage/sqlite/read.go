package sqlite

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
)

// stored returns what a claim says of a room without pending commits.
func (s *Store) stored(ctx context.Context, addr storage.Room) (storage.Claim, error) {
	r, err := s.borrow(ctx)
	if err != nil {
		return storage.Claim{}, err
	}
	defer s.giveBack(r)
	defer r.unpin()
	row, err := r.pin(addr)
	if err != nil || row == 0 || r.room.ColumnIsNull(1) {
		return storage.Claim{Empty: err == nil && row == 0}, diagnose(err)
	}
	return storage.Claim{Alarm: time.UnixMilli(r.room.ColumnInt64(1))}, nil
}

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, addr storage.Room, keys []string) (map[string][]byte, error) {
	r, err := s.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(r)
	defer r.unpin()

	found := make(map[string][]byte, len(keys))
	stored := keys // those that are not decided by what is pending
	row, err := s.pinned(r, addr, func(o *overlay) {
		if o != nil {
			stored = undecided(o, keys, found)
		}
	})
	if err == nil && row != 0 {
		err = r.values(row, stored, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", addr, diagnose(err))
	}
	return found, nil
}

// undecided adds to found what the overlay knows and returns the other keys.
func undecided(o *overlay, keys []string, found map[string][]byte) []string {
	var rest []string
	for _, key := range keys {
		switch value, exists, decided := o.get(key); {
		case !decided:
			rest = append(rest, key)
		case exists:
			found[key] = value
		}
	}
	return rest
}

// values adds to found the stored values of those keys that exist.
func (r *reader) values(row int64, keys []string, found map[string][]byte) error {
	defer r.value.Reset()
	for _, key := range keys {
		r.value.BindInt64(1, row)
		r.value.BindText(2, key)
		exists, err := r.value.Step()
		if err != nil {
			return err
		}
		if exists {
			found[key] = blob(r.value, 0)
		}
		if err := r.value.Reset(); err != nil {
			return err
		}
	}
	return nil
}

// blob copies a column.
func blob(stmt *sqlite.Stmt, col int) []byte {
	b := make([]byte, stmt.ColumnLen(col))
	stmt.ColumnBytes(col, b)
	return b
}

// List implements [storage.Store].
func (s *Store) List(ctx context.Context, addr storage.Room, in storage.Range) ([]storage.Entry, error) {
	r, err := s.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(r)
	defer r.unpin()

	var writes []pendingWrite
	cleared := false
	row, err := s.pinned(r, addr, func(o *overlay) {
		writes = o.within(in)
		cleared = o != nil && o.cleared != 0
	})
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", addr, diagnose(err))
	}
	order(writes, in)
	m := merge{limit: in.Limit, reverse: in.Reverse, writes: writes}
	if row != 0 && !cleared {
		m.rows = r.within(row, in)
		defer m.rows.Reset()
	}
	entries, err := m.entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("read room %q: %w", addr, diagnose(err))
	}
	return entries, nil
}

// within returns the statement that lists the stored entries in a range, its limit aside.
func (r *reader) within(row int64, in storage.Range) *sqlite.Stmt {
	lo, hi := in.Bounds()
	stmt := r.up
	switch {
	case hi != "" && in.Reverse:
		stmt = r.downFrom
	case hi != "":
		stmt = r.upTo
	case in.Reverse:
		stmt = r.down
	}
	stmt.BindInt64(1, row)
	stmt.BindText(2, lo)
	if hi != "" {
		stmt.BindText(3, hi)
	}
	return stmt
}

// Alarms implements [storage.Store].
func (s *Store) Alarms(ctx context.Context, after storage.Alarm, limit int) ([]storage.Alarm, error) {
	r, err := s.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(r)
	alarms, err := r.alarmsAfter(after, limit)
	if err != nil {
		return nil, fmt.Errorf("read alarms: %w", diagnose(err))
	}
	return alarms, nil
}

func (r *reader) alarmsAfter(after storage.Alarm, limit int) ([]storage.Alarm, error) {
	from := int64(math.MinInt64)
	if !after.At.IsZero() || after.Room != (storage.Room{}) {
		from = after.At.UnixMilli()
	}
	defer r.alarms.Reset()
	r.alarms.BindInt64(1, from)
	r.alarms.BindText(2, after.Room.Party)
	r.alarms.BindText(3, after.Room.Name)
	r.alarms.BindInt64(4, int64(max(limit, 0)))
	var alarms []storage.Alarm
	for {
		more, err := r.alarms.Step()
		if err != nil || !more {
			return alarms, err
		}
		alarms = append(alarms, storage.Alarm{
			At:   time.UnixMilli(r.alarms.ColumnInt64(0)),
			Room: storage.Room{Party: r.alarms.ColumnText(1), Name: r.alarms.ColumnText(2)},
		})
	}
}
