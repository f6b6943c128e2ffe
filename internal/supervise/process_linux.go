package supervise

import "syscall"

// attributes make the host the leader of a group, and let it die with the
// thread that starts it, even if this process is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
