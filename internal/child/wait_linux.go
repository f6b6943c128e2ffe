package child

import (
	"errors"

	"golang.org/x/sys/unix"
)

// await returns true when the process has ended, and leaves it to be reaped.
func await(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
