package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// writer is the one connection that writes. It is used by one goroutine at a time.
type writer struct {
	conn   *sqlite.Conn
	logger *slog.Logger
	maxLog int // pages

	begin, end, back     *sqlite.Stmt
	find, add, drop      *sqlite.Stmt
	put, remove, clear   *sqlite.Stmt
	alarm, flush, shrink *sqlite.Stmt

	pages int  // written since the last checkpoint, at most
	uncut bool // the log may hold a transaction that has failed
}

// openWriter opens the database for writing, creates it if it is empty, and
// begins a new epoch.
func openWriter(path string, opts Options) (_ *writer, epoch uint64, err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, 0, diagnose(err)
	}
	w := &writer{conn: conn, logger: opts.Logger, maxLog: opts.logPages}
	defer func() {
		if err != nil {
			err = errors.Join(diagnose(err), conn.Close())
		}
	}()
	conn.SetBusyTimeout(busyTimeout)
	for _, pragma := range []string{
		`PRAGMA journal_mode = wal`,
		`PRAGMA synchronous = full`,
		`PRAGMA wal_autocheckpoint = 0`, // see checkpoint
		fmt.Sprintf(`PRAGMA journal_size_limit = %d`, w.maxLog*pageSize),
		`PRAGMA cache_size = -16384`, // KiB
	} {
		if err := sqlitex.ExecuteTransient(conn, pragma, nil); err != nil {
			return nil, 0, err
		}
	}
	if epoch, err = w.start(); err != nil {
		return nil, 0, err
	}
	if err = w.prepare(); err != nil {
		return nil, 0, err
	}
	return w, epoch, nil
}

// start creates what is missing and counts the epoch up, in one transaction.
func (w *writer) start() (epoch uint64, err error) {
	finish, err := sqlitex.ImmediateTransaction(w.conn)
	if err != nil {
		return 0, err
	}
	defer finish(&err)
	objects, err := number(w.conn, `SELECT count(*) FROM sqlite_schema`)
	if err != nil {
		return 0, err
	}
	if objects == 0 {
		for _, part := range []string{
			fmt.Sprintf(`PRAGMA application_id = %d;`, applicationID),
			schema,
			fmt.Sprintf(`INSERT INTO meta (key, value) VALUES ('schema', %d), ('epoch', 0);`, schemaVersion),
		} {
			if err := sqlitex.ExecuteScript(w.conn, part, nil); err != nil {
				return 0, err
			}
		}
	}
	if err := w.upgrade(); err != nil {
		return 0, err
	}
	n, err := number(w.conn, nextEpoch)
	if err == nil && n < 1 {
		err = damaged("it does not say how often it was opened")
	}
	return uint64(n), err
}

func (w *writer) prepare() error {
	for _, p := range []struct {
		to    **sqlite.Stmt
		query string
	}{
		{&w.begin, `BEGIN IMMEDIATE`}, {&w.end, `COMMIT`}, {&w.back, `ROLLBACK`},
		{&w.find, findRoom}, {&w.add, addRoom}, {&w.drop, dropRoom},
		{&w.put, putEntry}, {&w.remove, delEntry}, {&w.clear, clearRoom},
		{&w.alarm, setAlarm}, {&w.flush, flushLog}, {&w.shrink, truncateLog},
	} {
		stmt, err := w.conn.Prepare(p.query)
		if err != nil {
			return err
		}
		*p.to = stmt
	}
	return nil
}

// commit makes the writes of a group durable, all or none.
func (w *writer) commit(group []item) error {
	first := slices.IndexFunc(group, func(i item) bool { return i.writes() })
	if first < 0 {
		return w.settle()
	}
	return w.transact(func() error {
		for n := first; n < len(group); n++ {
			i := &group[n]
			if !i.writes() {
				continue
			}
			if err := w.apply(i.room, &i.commit); err != nil {
				return err
			}
		}
		return nil
	})
}

// transact runs write in one transaction. When it returns nil, the transaction is durable.
func (w *writer) transact(write func() error) error {
	if err := w.settle(); err != nil {
		return err
	}
	if err := run(w.begin); err != nil {
		return err
	}
	if err := write(); err != nil {
		return errors.Join(err, w.rollback())
	}
	if err := run(w.end); err != nil {
		back := w.rollback()
		cut := w.cutLog()
		w.uncut = cut != nil
		return errors.Join(err, back, cut)
	}
	return nil
}

// settle makes sure that no transaction that has failed is in the log. Nothing may be acknowledged on top of
// one: a commit that changes nothing would leave it there.
func (w *writer) settle() error {
	if !w.uncut {
		return nil
	}
	if err := w.cutLog(); err != nil {
		return err
	}
	w.uncut = false
	return nil
}

// rollback undoes a transaction, unless SQLite has done that already.
func (w *writer) rollback() error {
	if w.conn.AutocommitEnabled() {
		return nil
	}
	return run(w.back)
}

// apply writes one commit within the transaction.
func (w *writer) apply(r *room, c *storage.Commit) error {
	if r.row == 0 {
		if err := w.findRow(r, c.Room); err != nil {
			return err
		}
	}
	shrunk := false // the room may be empty now
	if c.Clear && r.row != 0 {
		shrunk = true
		w.clear.BindInt64(1, r.row)
		if err := run(w.clear); err != nil {
			return err
		}
	}
	for n := range c.Ops {
		op := &c.Ops[n]
		w.pages += 1 + (len(op.Key)+len(op.Value))/pageSize
		if op.Delete && r.row == 0 {
			continue
		}
		stmt := w.remove
		if !op.Delete {
			if err := w.addRow(r, c.Room); err != nil {
				return err
			}
			stmt = w.put
			stmt.BindBytes(3, op.Value)
		}
		shrunk = op.Delete // else there is at least this entry
		stmt.BindInt64(1, r.row)
		stmt.BindText(2, op.Key)
		if err := run(stmt); err != nil {
			return err
		}
	}
	switch c.Alarm {
	case storage.SetAlarm:
		if err := w.addRow(r, c.Room); err != nil {
			return err
		}
		w.alarm.BindInt64(2, c.AlarmAt.UnixMilli())
		shrunk = false
	case storage.ClearAlarm:
		if r.row == 0 {
			return nil
		}
		w.alarm.BindNull(2)
		shrunk = true
	}
	if c.Alarm != storage.KeepAlarm {
		w.pages += 2
		w.alarm.BindInt64(1, r.row)
		if err := run(w.alarm); err != nil {
			return err
		}
	}
	if shrunk {
		return w.dropRow(r)
	}
	return nil
}

// findRow looks for the room's row.
func (w *writer) findRow(r *room, addr storage.Room) error {
	w.find.BindText(1, addr.Party)
	w.find.BindText(2, addr.Name)
	found, err := w.find.Step()
	if found {
		r.row = w.find.ColumnInt64(0)
	}
	return errors.Join(err, w.find.Reset())
}

// addRow sees to it that the room has a row.
func (w *writer) addRow(r *room, addr storage.Room) error {
	if r.row != 0 {
		return nil
	}
	w.add.BindText(1, addr.Party)
	w.add.BindText(2, addr.Name)
	if err := run(w.add); err != nil {
		return err
	}
	r.row = w.conn.LastInsertRowID()
	w.pages += 2
	return nil
}

// dropRow removes the room's row if nothing is left that needs it.
func (w *writer) dropRow(r *room) error {
	w.drop.BindInt64(1, r.row)
	if err := run(w.drop); err != nil {
		return err
	}
	if w.conn.Changes() > 0 {
		r.row = 0
	}
	return nil
}

// run runs a statement that returns nothing.
func run(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return errors.Join(err, stmt.Reset())
}
