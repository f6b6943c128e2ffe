//go:build unix

package platform

import "syscall"

// directWrites says that a socket can be written to without waiting for it.
const directWrites = true

// tryWrite is given to the poller's Write: it returns true always, so that it
// never waits for the socket to take more.
func (o *outbox) tryWrite(fd uintptr) bool {
	for o.wrote < len(o.pending) {
		n, err := syscall.Write(int(fd), o.pending[o.wrote:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			o.err = err
			return true
		default:
			o.wrote += n
		}
	}
	return true
}
