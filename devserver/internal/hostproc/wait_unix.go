//go:build unix && !linux

package hostproc

import "syscall"

// attributes make the host the leader of a group. When this process is
// killed, the end of the link tells it to end.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// await returns false: there is no portable way to wait without reaping.
func await(int) bool { return false }
