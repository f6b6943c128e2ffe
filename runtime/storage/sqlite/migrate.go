package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Applied implements [storage.Store].
func (s *Store) Applied(ctx context.Context) ([]string, error) {
	r, err := s.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer s.giveBack(r)
	tags, err := texts(r.conn, listTags)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return tags, nil
}

// Migrate implements [storage.Store].
func (s *Store) Migrate(ctx context.Context, known []storage.Migration) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n := 0
	settled := make(chan error, 1)
	s.mu.Lock()
	claimed := s.rooms.Len() > 0
	i := item{done: func(err error) { settled <- err }, task: func(w *writer) (err error) {
		n, err = w.migrate(known, claimed)
		return err
	}}
	if s.closed {
		s.refuse(i.done)
	} else {
		s.enqueue(i)
	}
	s.mu.Unlock()
	// It is not given up when ctx ends: who asked must know whether it happened.
	if err := <-settled; err != nil {
		return 0, err
	}
	return n, nil
}

// perform runs the tasks of a group.
func (w *writer) perform(group []item) {
	for n := range group {
		if i := &group[n]; i.task != nil {
			i.err = i.task(w)
		}
	}
}

// migrate applies migrations in one transaction.
func (w *writer) migrate(known []storage.Migration, claimed bool) (int, error) {
	applied, err := texts(w.conn, listTags)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	todo, err := storage.Unapplied(applied, known)
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	if claimed && storage.Moves(todo) {
		return 0, storage.ErrClaimed
	}
	w.pages = max(w.pages, w.maxLog) // it may be a lot
	err = w.transact(func() error {
		for _, m := range todo {
			if err := w.applyMigration(m); err != nil {
				return fmt.Errorf("migration %q: %w", m.Tag, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", diagnose(err))
	}
	return len(todo), nil
}

func (w *writer) applyMigration(m storage.Migration) error {
	for _, r := range m.Renamed {
		if r.From == r.To {
			continue
		}
		twins, err := texts(w.conn, findTwin, r.From, r.To)
		if err != nil {
			return err
		}
		if len(twins) > 0 {
			return fmt.Errorf("there are both %q and %q", storage.Room{Party: r.From, Name: twins[0]}, storage.Room{Party: r.To, Name: twins[0]})
		}
		if _, err := texts(w.conn, moveRooms, r.From, r.To); err != nil {
			return err
		}
	}
	for _, party := range m.Deleted {
		_, err := texts(w.conn, dropValues, party)
		if err == nil {
			_, err = texts(w.conn, dropRooms, party)
		}
		if err != nil {
			return err
		}
	}
	_, err := texts(w.conn, addTag, m.Tag)
	return err
}

// upgrade brings an older file to the present schema.
func (w *writer) upgrade() error {
	version, err := number(w.conn, `SELECT value FROM meta WHERE key = 'schema'`)
	if err != nil || version >= schemaVersion {
		return err
	}
	return sqlitex.ExecuteScript(w.conn, migrationsTable+fmt.Sprintf(`UPDATE meta SET value = %d WHERE key = 'schema';`, schemaVersion), nil)
}

// texts returns the first column of what a statement finds.
func texts(conn *sqlite.Conn, query string, args ...any) ([]string, error) {
	var found []string
	err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
		Args: args,
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found = append(found, stmt.ColumnText(0))
			return nil
		},
	})
	return found, diagnose(err)
}

// Survey is what a store holds, as a tool sees it.
type Survey struct {
	Applied []string       // tags of the migrations it has been through
	Rooms   map[string]int // how many rooms with data or an alarm each party has
}

// Look surveys the store in the file at path without changing it, whether or not it
// is in use. The errors are those of Open, except that a store in use is none, and
// fs.ErrNotExist if there is no file.
func Look(path string) (_ Survey, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("look at store %q: %w", path, err)
		}
	}()
	s := Survey{Rooms: make(map[string]int)}
	conn, err := readOnly(path)
	if conn == nil {
		return s, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = sqlitex.ExecuteTransient(conn, countRooms, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		s.Rooms[stmt.ColumnText(0)] = int(stmt.ColumnInt64(1))
		return nil
	}})
	if err != nil {
		return s, diagnose(err)
	}
	tables, err := number(conn, `SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'`)
	if err == nil && tables > 0 {
		s.Applied, err = texts(conn, listTags)
	}
	return s, err
}
