package hostproc

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes make the host the leader of a group, and let it die with the
// thread that starts it, even if this process is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// await returns true when the process has ended, and leaves it to be reaped.
func await(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
