// Package bootstrap brings "party host" to a server that has nothing but sshd: the program, and a way to start it,
// by systemd where that is and may be used, and otherwise on its own in the user's home folder. It finds such a
// host again, and has it make tokens.
//
// It speaks to the server through package remote; what the host does is in package hosting.
package bootstrap
