package hosting

import (
	"errors"

	"golang.org/x/sys/unix"
)

// limit bounds what a process, and what it starts from now on, may use. The memory is what it may write to.
func limit(pid int, memory, openFiles int64) error {
	var err error
	if memory > 0 {
		err = unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(memory), Max: uint64(memory)}, nil)
	}
	if openFiles > 0 {
		err = errors.Join(err, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(openFiles), Max: uint64(openFiles)}, nil))
	}
	err = errors.Join(err, unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)) // a dump has secrets in it
	if errors.Is(err, unix.ESRCH) {
		return nil // it has ended, and its end says more
	}
	return err
}
