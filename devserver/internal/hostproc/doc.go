// Package hostproc runs a host binary as a child process: joined by a socket,
// with its output passed on line by line, and with a reason when it ends.
//
// No process outlives its use: a host has a process group of its own that is
// killed with it, and it ends when this process ends, however that happens.
// The package does not speak the link's protocol and does not decide when a
// host is started again. It needs a Unix system.
package hostproc
