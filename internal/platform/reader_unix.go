//go:build unix

package platform

import (
	"io"
	"syscall"
)

// tryRead is given to the poller's Read: it returns false to wait for something to read.
func (r *reader) tryRead(fd uintptr) bool {
	dst := r.dst
	if dst == nil {
		r.take()
		dst = (*r.buf)[r.to:]
	}
	for {
		n, err := syscall.Read(int(fd), dst)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if r.between() {
				r.forget()
				if !r.busy {
					r.err = errRest
					return true
				}
			}
			return false
		case err != nil:
			r.err = err
		case n == 0:
			r.err = io.EOF
		default:
			r.n = n
		}
		return true
	}
}
