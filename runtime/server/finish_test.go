package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestFinishAnswersWhoIsConnected lets a request arrive on a connection that was accepted before the server began to
// finish, and another one that is under way end in its own time.
func TestFinishAnswersWhoIsConnected(t *testing.T) {
	var open openConns
	begun, finishing := make(chan struct{}), make(chan struct{})
	hs := &http.Server{ConnState: open.count, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-finishing
		}
		io.WriteString(w, r.URL.Path)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(60 * time.Second))
		return conn
	}
	ask := func(conn net.Conn, path string) {
		if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	want := func(conn net.Conn, path string) {
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != path || !resp.Close {
			t.Errorf("%s: got %q, %v, last answer of the connection: %t", path, body, err, resp.Close)
		}
	}
	slow, idle, silent := dial(), dial(), dial()
	ask(idle, "/idle")
	if resp, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil || resp.Close {
		t.Fatalf("a connection was not kept: %v", err)
	}
	ask(slow, "/slow")
	<-begun
	for open.n.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	l.Close()
	<-served

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	finished := make(chan error)
	go func() { open.finish(ctx, hs); finished <- ctx.Err() }()
	if _, err := idle.Read(make([]byte, 1)); err == nil { // the body
		if _, err := io.Copy(io.Discard, idle); err != nil {
			t.Errorf("the idle connection: %v", err)
		}
	}
	ask(silent, "/silent")
	want(silent, "/silent")
	select {
	case <-finished:
		t.Error("finished before its last answer")
	default:
	}
	close(finishing)
	want(slow, "/slow")
	if err := <-finished; err != nil {
		t.Error("did not finish")
	}
}
