package load

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// ErrStop, returned by the function given to Run, ends Run without an error.
var ErrStop = errors.New("stop")

// Loop waits for messages on many connections. It belongs to one goroutine.
type Loop struct {
	epoll  int
	split  Splitter
	conns  []*Conn
	events []syscall.EpollEvent
	buf    []byte
}

// NewLoop makes a loop whose connections speak what split splits.
func NewLoop(split Splitter) (*Loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &Loop{epoll: fd, split: split, events: make([]syscall.EpollEvent, 256), buf: make([]byte, 64<<10)}, nil
}

// Add puts a connection under the loop, which closes it from then on, and numbers it.
func (l *Loop) Add(c *Conn) error {
	c.N = len(l.conns)
	l.conns = append(l.conns, c)
	if err := syscall.SetNonblock(c.fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	// Fd is the kernel's copy of our own number: the connection's place.
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.N)}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, c.fd, &ev))
}

// Conns lists the connections. The slice is the loop's own.
func (l *Loop) Conns() []*Conn { return l.conns }

// Close closes the loop and its connections.
func (l *Loop) Close() error {
	errs := []error{os.NewSyscallError("close", syscall.Close(l.epoll))}
	for _, c := range l.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Run calls on for every message until the given time. The message is valid
// during the call. A connection that ends is an error.
func (l *Loop) Run(until time.Time, on func(c *Conn, message []byte) error) error {
	for _, c := range l.conns {
		if len(c.rest) == 0 {
			continue
		}
		// The socket will not say that it had this.
		if err := l.take(c, nil, on); errors.Is(err, ErrStop) {
			return nil
		} else if err != nil {
			return fmt.Errorf("connection %d: %w", c.N, err)
		}
	}
	for {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		n, err := syscall.EpollWait(l.epoll, l.events, int(left.Milliseconds())+1)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, ev := range l.events[:n] {
			switch err := l.read(l.conns[ev.Fd], on); {
			case err == nil:
			case errors.Is(err, ErrStop):
				return nil
			default:
				return fmt.Errorf("connection %d: %w", ev.Fd, err)
			}
		}
	}
}

// read takes what one connection has.
func (l *Loop) read(c *Conn, on func(*Conn, []byte) error) error {
	n, err := syscall.Read(c.fd, l.buf)
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return io.ErrUnexpectedEOF
	}
	return l.take(c, l.buf[:n], on)
}

// take splits what a connection has kept and what it has read.
func (l *Loop) take(c *Conn, b []byte, on func(*Conn, []byte) error) error {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, b...)
		b = c.rest
	}
	for len(b) > 0 {
		message, n, err := l.split(b)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		b = b[n:]
		if message == nil {
			continue
		}
		if err = on(c, message); err != nil {
			c.rest = append(c.rest[:0], b...)
			return err
		}
	}
	c.rest = append(c.rest[:0], b...) // to the front, when b is part of it
	return nil
}
