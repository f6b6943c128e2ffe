package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// ErrExists says that there is a store already where another is to be put.
var ErrExists = errors.New("there is a store already")

// Backup writes what is durable in the store at path, as of one moment, to a new file, which is a
// store by itself. The store may be in use, by another process too, which is not
// held up; its write-ahead log grows for as long as this takes. The new file is complete or not there.
//
// The error is fs.ErrNotExist if there is no store, and fs.ErrExist if there is a file at to.
func Backup(ctx context.Context, path, to string) error {
	if err := backup(ctx, path, to); err != nil {
		return fmt.Errorf("back up store %q to %q: %w", path, to, err)
	}
	return nil
}

func backup(ctx context.Context, path, to string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist})
	}
	folder, err := os.MkdirTemp(filepath.Dir(to), ".backup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, "copy")
	if err := vacuumInto(ctx, path, copied); err != nil {
		return err
	}
	if err := look(copied); err != nil {
		return err
	}
	if err := flush(copied); err != nil {
		return err
	}
	// Unlike a rename, a link fails if somebody was faster; not every file system has them.
	if err := os.Link(copied, to); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil {
		if err := os.Rename(copied, to); err != nil {
			return err
		}
	}
	return flush(filepath.Dir(to))
}

// vacuumInto has SQLite copy a database in one read transaction.
func vacuumInto(ctx context.Context, path, to string) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return diagnose(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetBusyTimeout(busyTimeout)
	conn.SetInterrupt(ctx.Done())
	err = sqlitex.ExecuteTransient(conn, `VACUUM INTO ?1`, &sqlitex.ExecOptions{Args: []any{to}})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return diagnose(err)
}

// look checks that the file at path is a store that this version can use.
func look(path string) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return diagnose(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	found, err := number(conn, `SELECT count(*) FROM sqlite_schema`)
	if err != nil {
		return err
	}
	if found == 0 {
		return damaged("it is empty")
	}
	return check(conn, 0) // structure and all, whatever the size
}

// RestoreOptions say how a backup is restored.
type RestoreOptions struct {
	// Replace puts the backup in the place of a store that is there, whose file is kept, with
	// ".replaced" behind its name, in the place of an earlier one.
	Replace bool
}

// Restore makes a copy of a backup the store at path. The backup is left as it is, and is
// checked before anything happens.
//
// The error is [storage.ErrLocked] if the store at path is in use, [ErrExists] if there is one and
// Replace is not set, and [storage.ErrCorrupt] or [storage.ErrNewer] if the backup is no store, or
// not one for this version. In these cases nothing has been changed.
func Restore(from, path string, opts RestoreOptions) error {
	if err := restore(from, path, opts); err != nil {
		return fmt.Errorf("restore store %q from %q: %w", path, from, err)
	}
	return nil
}

func restore(from, path string, opts RestoreOptions) (err error) {
	if size, err := fileSize(from); err != nil || size == 0 {
		return errors.Join(err, damaged("it is empty or not there"))
	}
	if err := look(from); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	lock, err := acquire(path + ".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	old, err := present(path)
	if err != nil {
		return err
	}
	if len(old) > 0 && !opts.Replace {
		return ErrExists
	}
	copied := path + ".restoring"
	defer os.Remove(copied) // it is gone if all went well
	if err := copyFile(from, copied); err != nil {
		return err
	}
	// The database goes first: SQLite would take its log for a leftover if it stayed
	// without it, but Open does not, so nothing is lost if this ends in between.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + ".replaced" + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, suffix := range old {
		if err := os.Rename(path+suffix, path+".replaced"+suffix); err != nil {
			return err
		}
	}
	if err := os.Rename(copied, path); err != nil {
		return err
	}
	return flush(filepath.Dir(path))
}

// present lists the suffixes of those files of a store that are there, the database first.
func present(path string) ([]string, error) {
	var out []string
	for _, suffix := range []string{"", "-wal", "-shm"} {
		switch _, err := os.Lstat(path + suffix); {
		case err == nil:
			out = append(out, suffix)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return out, nil
}

// copyFile copies a backup through SQLite, which includes a log beside it, if there is one.
func copyFile(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := vacuumInto(context.Background(), from, to); err != nil {
		return err
	}
	return errors.Join(os.Chmod(to, 0o600), flush(to))
}

// flush makes a file or a folder durable.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil // a system that cannot sync folders
	}
	return errors.Join(err, f.Close())
}
