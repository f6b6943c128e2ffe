//go:build unix

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f for this open file, and reports false if it is locked already.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
