package client

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/goparty-dev/party/internal/hosting/credentials"
)

// pipes is a listener without a network, so that time in a synctest bubble can pass at once.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const testToken = "tok-123"

// serve answers with a handler and returns a client for it. It is for use inside of a bubble.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	p := newPipes()
	srv := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(p); err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	}()
	c := New(Options{Address: "http://host.localhost", Token: credentials.NewSecret(testToken), Dial: p.dial, Agent: "party test"})
	t.Cleanup(func() {
		c.Close()
		if err := srv.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
		<-done
	})
	return c
}
