// Package pipe opens WebSockets to an http.Handler in the same process, without
// a port: for calls between rooms and for tests. It is not a transport for clients.
package pipe

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// Dial opens a WebSocket to the handler. target is an absolute path with an optional
// query; header is added to the handshake. If the handler refuses, the error is
// websocket.ErrBadHandshake and the response says why; its body can be read and need not be closed.
func Dial(ctx context.Context, h http.Handler, target string, header http.Header) (*websocket.Conn, *http.Response, error) {
	client, server := net.Pipe()
	go serve(ctx, h, server)
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	ws, resp, err := d.DialContext(ctx, "ws://localhost"+target, header)
	if err != nil {
		if resp != nil {
			b, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(b))
		}
		client.Close()
		return nil, resp, err
	}
	return ws, resp, nil
}

// serve reads one request from conn and lets the handler answer it or take the connection.
func serve(ctx context.Context, h http.Handler, conn net.Conn) {
	br := bufio.NewReader(conn)
	r, err := http.ReadRequest(br)
	if err != nil {
		conn.Close()
		return
	}
	// The handshake's context says when the client is gone; a hijacked connection tells by itself.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r = r.WithContext(ctx)
	r.RemoteAddr = "pipe"
	w := &writer{conn: conn, rw: bufio.NewReadWriter(br, bufio.NewWriter(conn)), header: make(http.Header)}
	defer func() {
		if !w.hijacked {
			w.finish(r)
			conn.Close()
		}
	}()
	h.ServeHTTP(w, r)
}

// writer is the http.ResponseWriter of a handshake.
type writer struct {
	conn     net.Conn
	rw       *bufio.ReadWriter
	header   http.Header
	status   int
	body     bytes.Buffer
	hijacked bool
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.hijacked = true
	return w.conn, w.rw, nil
}

func (w *writer) finish(r *http.Request) {
	w.WriteHeader(http.StatusOK)
	resp := http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Close: true,
	}
	resp.Write(w.conn)
}
