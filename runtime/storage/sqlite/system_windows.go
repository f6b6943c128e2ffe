package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// readOnlyFS is the system's error for a volume that cannot be written.
const readOnlyFS = windows.ERROR_WRITE_PROTECT

// syncFolder does nothing: NTFS keeps a journal of names.
func syncFolder(string) error { return nil }

// tryLock locks f for this open file, and reports false if it is locked already.
func tryLock(f *os.File) (bool, error) {
	// A locked byte cannot be read by others, so it is one far behind the text.
	at := &windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
