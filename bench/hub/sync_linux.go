package main

import (
	"os"
	"syscall"
)

// syncData makes a file's contents durable, not its times.
func syncData(f *os.File) error {
	return os.NewSyscallError("fdatasync", syscall.Fdatasync(int(f.Fd())))
}
