package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// busyTimeout is how long to wait for somebody else, a shell for instance, who has
// locked the database.
const busyTimeout = 5 * time.Second

// checkedSize is the size in bytes up to which the structure of a file is
// checked whole when it is opened, which takes milliseconds. Damage in a
// larger file is found when a read meets it.
const checkedSize = 32 << 20

// inspect checks the file at path before anything writes to it. It is content with
// a file that is missing or holds nothing.
func inspect(path string) error {
	size, err := fileSize(path)
	if err != nil {
		return err
	}
	if size == 0 {
		// SQLite would take a log without its database for a leftover, and remove it.
		log, err := fileSize(path + "-wal")
		if err == nil && log > 0 {
			err = damaged("it is empty, but there are %d bytes of its log in %q", log, path+"-wal")
		}
		return err
	}
	// The connection cannot write. So when it closes it leaves the log alone too.
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return diagnose(err)
	}
	conn.SetBusyTimeout(busyTimeout)
	err = check(conn, size)
	if closing := conn.Close(); err == nil {
		err = closing
	}
	return err
}

// fileSize returns the size of a regular file, 0 when there is none.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%q is not a file", path)
	}
	return info.Size(), nil
}

func check(conn *sqlite.Conn, size int64) error {
	found := make(map[string]bool)
	err := sqlitex.ExecuteTransient(conn, `SELECT name FROM sqlite_schema`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found[stmt.ColumnText(0)] = true
			return nil
		},
	})
	if err != nil {
		return diagnose(err)
	}
	if len(found) == 0 {
		return nil
	}
	for _, name := range tables {
		if !found[name] {
			return damaged("it is a database without the table %q", name)
		}
	}
	version, err := number(conn, `SELECT value FROM meta WHERE key = 'schema'`)
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return fmt.Errorf("%w: it has schema %d and this version knows %d: use that version, or another folder (--persist DIR)",
			storage.ErrNewer, version, schemaVersion)
	case version < 1:
		return damaged("its schema has no version")
	}
	if size > checkedSize {
		return nil
	}
	finding := ""
	err = sqlitex.ExecuteTransient(conn, `PRAGMA quick_check(1)`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			finding = stmt.ColumnText(0)
			return nil
		},
	})
	if err != nil {
		return diagnose(err)
	}
	if finding != "ok" {
		return damaged("%s", strings.ReplaceAll(finding, "\n", ", "))
	}
	return nil
}

// number returns the one number that a query finds, 0 if it finds nothing.
func number(conn *sqlite.Conn, query string) (int64, error) {
	var n int64
	err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			n = stmt.ColumnInt64(0)
			return nil
		},
	})
	return n, diagnose(err)
}
