// Package pipetest joins clients and servers of a test without a network, so that both may be in one synctest bubble:
// there, time stands still while anybody has something to do, and no test depends on how fast the machine is.
package pipetest

import (
	"context"
	"net"
	"sync"
)

// Listener is a listener whose connections are made by Dial. It is safe for concurrent use.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

// Listen returns a listener. In a bubble it must be called inside.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the listener, whatever the address says. It has the form of net.Dialer.DialContext.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection, or net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial. Connections stay.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

// Addr is a Unix address that nobody can connect to.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }
