//go:build unix && !linux

package child

import "syscall"

// bind makes the child the leader of a group.
func bind(a *syscall.SysProcAttr) { a.Setpgid = true }
