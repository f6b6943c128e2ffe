package sqlite

import (
	"errors"
	"time"

	"zombiezen.com/go/sqlite"
)

// pageSize is SQLite's, in bytes. Here it is only a measure.
const pageSize = 4096

const (
	// defaultLogPages is how long the log may become, 64 MiB, while readers keep it
	// from starting again at its beginning. Usually it is copied to the database at a
	// quarter of that, and starts again.
	defaultLogPages = 16384
	// checkpointPatience is how long to wait for readers when the log is too long.
	checkpointPatience = 500 * time.Millisecond
)

const (
	flushLog    = `PRAGMA wal_checkpoint(PASSIVE)`
	truncateLog = `PRAGMA wal_checkpoint(TRUNCATE)`
)

var errReaders = errors.New("something reads the database all the time")

// checkpoint copies the log to the database when enough has been written. It
// runs between two groups and not within a commit, whose rooms would wait for it.
// What it cannot do it leaves to the next time: the log is as durable as the database.
func (w *writer) checkpoint() {
	if w.pages < w.maxLog/4 {
		return
	}
	w.pages = 0
	length, err := w.logged(w.flush)
	if err == nil && length > w.maxLog {
		_, err = w.logged(w.shrink)
	}
	if err != nil {
		w.logger.Warn("cannot empty the store's write-ahead log", "pages", length, "err", err)
	}
}

// cutLog empties the log after a transaction that failed at its end. The log may
// hold all of it, if it was the fsync that failed, and the next start would take it
// for committed.
func (w *writer) cutLog() error {
	_, err := w.logged(w.shrink)
	return err
}

// logged runs a checkpoint and returns how many pages the log has. It does
// not wait long for others who use the database.
func (w *writer) logged(pragma *sqlite.Stmt) (pages int, err error) {
	w.conn.SetBusyTimeout(checkpointPatience)
	defer w.conn.SetBusyTimeout(busyTimeout)
	defer pragma.Reset()
	if _, err := pragma.Step(); err != nil {
		return 0, err
	}
	pages = pragma.ColumnInt(1)
	if pragma.ColumnInt(0) != 0 {
		err = errReaders
	}
	return pages, err
}
