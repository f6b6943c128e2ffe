//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// Group makes the end of a command's context the end of all that it has started: the children of a shell, or of the
// go command, do not die with it. It is for tools that run and end, and is called before the command is started.
func Group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
