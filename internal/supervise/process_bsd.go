//go:build unix && !linux

package supervise

import "syscall"

// attributes make the host the leader of a group. When this process is
// killed, the end of the link tells it to end.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
