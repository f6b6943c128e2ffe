package sqlite

import (
	"fmt"

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
	}
	return err
}
