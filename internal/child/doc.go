// Package child starts programs that must not outlive this one: hosts of a platform, apps of "party host". Each
// is the leader of a process group that is killed with it, and ends with this process, however that happens.
//
// It does not restart them. It needs a Unix system.
package child
