package sqlite

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/goparty-dev/party/runtime/storage"
)

// acquire locks the file at path, which it creates, for as long as the result
// is open. The system releases the lock when the process dies, however it does.
//
// The file stays when the lock is given up: to remove it would take
// the lock from under another process that has just opened it.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, deniedAs(err)
	}
	locked, err := tryLock(f)
	switch {
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("lock %q: %w", path, err)
	case !locked:
		pid := holder(f)
		f.Close()
		return nil, fmt.Errorf("%w%s: stop it first, or choose another folder (--persist DIR)", storage.ErrLocked, pid)
	}
	// The number is for the message above and nothing depends on it.
	if f.Truncate(0) == nil {
		fmt.Fprintln(f, os.Getpid())
	}
	return f, nil
}

// holder names the process that has locked f, if it can be told.
func holder(f *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(f, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
