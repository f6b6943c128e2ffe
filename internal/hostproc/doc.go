// Package hostproc runs a host binary as a child process: started, joined by a socket over which
// the link is spoken, with its output passed on, seen through to its end, and with a reason when that comes.
//
// No process outlives its use: a host has a process group of its own that is
// killed with it, and it ends when this process ends, however that happens.
// The package decides neither when a host is started, nor which one has the rooms, nor when it is started again: that is
// the policy of the dev server and of package supervise. It needs a Unix system.
package hostproc
