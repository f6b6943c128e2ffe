package stream

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"syscall"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

var (
	// errReleased answers for a room that is given up.
	errReleased = errors.New("the room has been released")
	// errPlatformGone is what the host's loads fail with when the stream has ended.
	errPlatformGone = errors.New("the platform is gone")
)

// The errors that keep their identity across the stream, by number. The order is part
// of the protocol.
var known = [...]error{
	storage.ErrFenced, storage.ErrClosed, fs.ErrNotExist, context.Canceled, context.DeadlineExceeded, link.ErrHostGone,
}

// ended reports whether a read failed because the other end is gone, by closing the stream
// or by dying.
func ended(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// remoteError is an error of the other process.
type remoteError struct {
	text string
	is   error // one of known, or nil
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// appendError writes 0 for nil, 1 for an error without identity, else two more than its number.
func appendError(b []byte, err error) []byte {
	if err == nil {
		return append(b, 0)
	}
	code := byte(1)
	for n, k := range known {
		if errors.Is(err, k) {
			code = byte(n + 2)
			break
		}
	}
	return appendString(append(b, code), err.Error())
}

func (d *decoder) error() error {
	switch code := d.byte(); {
	case code == 0:
		return nil
	case int(code) < len(known)+2:
		e := &remoteError{text: d.string()}
		if code > 1 {
			e.is = known[code-2]
		}
		return e
	}
	d.fail()
	return nil
}
