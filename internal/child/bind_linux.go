package child

import "syscall"

// bind makes the child the leader of a group, and lets it die with the
// thread that starts it, even if this process is killed.
func bind(a *syscall.SysProcAttr) { a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL }
