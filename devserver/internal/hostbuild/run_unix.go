//go:build unix

package hostbuild

import (
	"os/exec"
	"syscall"
)

// inGroup makes cmd the leader of a process group, and ctx's end the end of
// the whole group: the go command's children do not die with it.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
