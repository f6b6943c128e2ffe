package sqlite

import (
	"context"
	"errors"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
)

// reader is a connection that only reads. It is used by one goroutine at a time.
type reader struct {
	conn           *sqlite.Conn
	room           *sqlite.Stmt
	value          *sqlite.Stmt
	up, down       *sqlite.Stmt
	upTo, downFrom *sqlite.Stmt
	alarms         *sqlite.Stmt
}

func openReader(path string) (_ *reader, err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, diagnose(err)
	}
	conn.SetBusyTimeout(busyTimeout)
	r := &reader{conn: conn}
	for _, p := range []struct {
		to    **sqlite.Stmt
		query string
	}{
		{&r.room, findRoom}, {&r.value, getValue},
		{&r.up, listUp}, {&r.down, listDown}, {&r.upTo, listUpUntil}, {&r.downFrom, listDownFrom},
		{&r.alarms, listAlarms},
	} {
		if *p.to, err = conn.Prepare(p.query); err != nil {
			return nil, errors.Join(diagnose(err), conn.Close())
		}
	}
	return r, nil
}

// borrow waits for an idle reader. It must be given back.
func (s *Store) borrow(ctx context.Context) (*reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closing: // first of all, as an idle reader may be there too
		return nil, storage.ErrClosed
	default:
	}
	select {
	case r := <-s.readers:
		return r, nil
	case <-s.closing:
		return nil, storage.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) giveBack(r *reader) { s.readers <- r }

// pin finds the room's row, 0 when there is none, and leaves the statement
// open: until unpin everything is read from one state of the database.
func (r *reader) pin(addr storage.Room) (row int64, err error) {
	r.room.BindText(1, addr.Party)
	r.room.BindText(2, addr.Name)
	found, err := r.room.Step()
	if err != nil || !found {
		return 0, err
	}
	return r.room.ColumnInt64(0), nil
}

func (r *reader) unpin() { r.room.Reset() }

// pinned pins a state of the database and looks at the overlay that goes with
// it; look gets nil when nothing is pending in the room, and runs under mu.
//
// A group that is settled between the two would be in neither. That is
// seen, and tried again. It happens seldom and hardly ever twice: to settle
// takes an fsync, to pin some microseconds.
func (s *Store) pinned(r *reader, addr storage.Room, look func(*overlay)) (row int64, err error) {
	for {
		before := s.groups.Load()
		row, err := r.pin(addr)
		if err != nil {
			return 0, err
		}
		if s.lookAt(addr, before, look) {
			return row, nil
		}
		r.unpin()
	}
}

// lookAt looks at the overlay of a room, unless a group has been settled since.
func (s *Store) lookAt(addr storage.Room, since uint64, look func(*overlay)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups.Load() != since {
		return false
	}
	var o *overlay
	if r := s.rooms.Get(addr); r != nil && r.pending > 0 {
		o = &r.overlay
	}
	look(o)
	return true
}
