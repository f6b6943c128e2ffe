package sqlite

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/goparty-dev/party/runtime/storage"
	"zombiezen.com/go/sqlite"
)

// advice is what to do about a damaged file. The store itself never touches it.
const advice = "it has been left as it is; keep a copy of it, put a backup in its place, " +
	"or start with another folder (--persist DIR)"

// damaged is the error for a file that is not what it should be.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w: %s", storage.ErrCorrupt, fmt.Errorf(format, args...), advice)
}

// diagnose says of an error of SQLite whether the file is to blame.
func diagnose(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return damaged("%w", err)
	case sqlite.ResultReadOnly, sqlite.ResultPerm:
		return unwritable(err)
	}
	return err
}

// unwritable is the error for a file or folder that the process may not write. A store that cannot be written is not
// opened: a room that is told "no" at its first write has already let people in.
func unwritable(err error) error {
	return fmt.Errorf("%w: %w: let the user that runs this program write the file and its folder, or choose another one (--persist DIR)",
		storage.ErrReadOnly, err)
}

// deniedAs turns an error of the file system that means read-only into one that says so.
func deniedAs(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, readOnlyFS) {
		return unwritable(err)
	}
	return err
}
