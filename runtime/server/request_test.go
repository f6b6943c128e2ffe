package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

func TestRequestAndResponse(t *testing.T) {
	hs := start(t, server.Rooms(script{request: func(_ *scripted, w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Answer", "42")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
		fmt.Fprintf(w, "%s %s %s %q", r.Method, r.Header.Get("X-Question"), r.Host, body)
	}}.define("chat")))
	got := fetch(t, "PUT", hs.URL+"/party/x", "some body", "X-Question", "why")
	got.check(t, 418, fmt.Sprintf("PUT why %s %q", strings.TrimPrefix(hs.URL, "http://"), "some body"))
	if got.header.Get("X-Answer") != "42" || len(got.header["Set-Cookie"]) != 2 {
		t.Errorf("got headers %v", got.header)
	}
}

func TestHeadAndOptions(t *testing.T) {
	hs := start(t, quiet(), server.Rooms(script{request: func(_ *scripted, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		fmt.Fprint(w, "12345")
	}}.define("chat")))
	head := fetch(t, "HEAD", hs.URL+"/party/x", "")
	head.check(t, 200, "")
	if got := head.header.Get("Content-Length"); got != "5" {
		t.Errorf("HEAD: got length %q, want 5", got)
	}
	options := fetch(t, "OPTIONS", hs.URL+"/party/x", "")
	options.check(t, 200, "12345")
	if got := options.header.Get("X-Method"); got != "OPTIONS" {
		t.Errorf("OPTIONS without CORS: room saw %q", got)
	}
}

// TestOddResponses are what a careless handler writes.
func TestOddResponses(t *testing.T) {
	var log logged
	hs := start(t, log.option(), server.Rooms(script{request: func(_ *scripted, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("do") {
		case "nothing":
		case "204":
			w.WriteHeader(204)
			fmt.Fprint(w, "must not be there")
		case "304":
			w.WriteHeader(304)
		case "short":
			w.Header().Set("Content-Length", "2")
			fmt.Fprint(w, "too long")
		case "1000":
			w.WriteHeader(1000)
		}
	}}.define("chat")))
	for _, test := range []struct {
		do     string
		status int
		body   string
	}{{"nothing", 200, ""}, {"204", 204, ""}, {"304", 304, ""}} {
		visit(t, hs.URL+"/party/x?do="+test.do).check(t, test.status, test.body)
	}
	if got := log.String(); got != "" {
		t.Errorf("logged: %s", got)
	}
	if got := visit(t, hs.URL+"/party/x?do=1000"); got.status != 500 {
		t.Errorf("status 1000: got %d %q, want 500", got.status, got.body)
	}
}

func TestPanicInRequest(t *testing.T) {
	boom := script{request: func(_ *scripted, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Early", "1")
		fmt.Fprint(w, "half")
		panic("the secret of the room")
	}}
	t.Run("in production", func(t *testing.T) {
		var log logged
		hs := start(t, log.option(), server.Rooms(boom.define("chat")))
		got := visit(t, hs.URL+"/party/x")
		id := got.header.Get("X-Request-Id")
		if got.status != 500 || strings.Contains(got.body, "secret") || strings.Contains(got.body, "goroutine") {
			t.Errorf("got %d %q, want a short 500", got.status, got.body)
		}
		if id == "" || !strings.Contains(got.body, id) || !strings.Contains(log.String(), id) {
			t.Errorf("request id %q is not in the body %q and the log", id, got.body)
		}
		if !strings.Contains(log.String(), "the secret of the room") || !strings.Contains(log.String(), "request_test.go") {
			t.Errorf("the log has no panic with its stack: %s", log.String())
		}
	})
	t.Run("in dev", func(t *testing.T) {
		p, hs := serve(t, platform.Options{Dev: true})
		p.SetHost(host(t, party.HostOptions{Dev: true}, boom.define("chat")))
		got := visit(t, hs.URL+"/party/x")
		if got.status != 500 || !strings.Contains(got.body, "secret") || !strings.Contains(got.body, "request_test.go") {
			t.Errorf("got %d %q, want a 500 with the stack", got.status, got.body)
		}
	})
}

// TestPanicAfterFlush breaks a response off that has left in part, and answers 500 when no part of it has.
func TestPanicAfterFlush(t *testing.T) {
	seen := make(chan struct{})
	hs := start(t, quiet(), server.Rooms(script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		fmt.Fprint(w, "part")
		w.(http.Flusher).Flush()
		if req.URL.Query().Has("await") {
			r.Await(req.Context(), func(ctx context.Context) error {
				select {
				case <-seen:
				case <-ctx.Done():
				}
				return nil
			})
		}
		panic("boom")
	}}.define("chat")))
	if got := visit(t, hs.URL+"/party/x"); got.status != 500 || strings.Contains(got.body, "part") {
		t.Errorf("nothing had left: got %d %q, want a 500", got.status, got.body)
	}
	resp, err := http.Get(hs.URL + "/party/x?await")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	close(seen)
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("part had left: got a complete body %q, want it broken off", body)
	}
}

func TestBodyLimit(t *testing.T) {
	hs := start(t, server.WithLimits(server.Limits{BodyBytes: 100}), server.Rooms(script{
		request: func(_ *scripted, w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
	}.define("chat")))
	fits := strings.Repeat("x", 100)
	fetch(t, "POST", hs.URL+"/party/x", fits).check(t, 200, fits)
	fetch(t, "POST", hs.URL+"/party/x", fits+"x").check(t, 413, "request body is too large\n")
	t.Run("of unknown length", func(t *testing.T) {
		req, _ := http.NewRequest("POST", hs.URL+"/party/x", io.MultiReader(strings.NewReader(fits), strings.NewReader("x")))
		send(t, http.DefaultTransport, req).check(t, 413, "request body is too large\n")
	})
}

// TestClientGoes shows that a request's context ends with its client, and that the room goes on.
func TestClientGoes(t *testing.T) {
	waiting, gone := make(chan struct{}), make(chan error, 1)
	hs := start(t, server.Rooms(script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/party/x/wait" {
			close(waiting)
			gone <- r.Await(req.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		fmt.Fprint(w, "ok")
	}}.define("chat")))
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", hs.URL+"/party/x/wait", nil)
	ended := make(chan error, 1)
	go func() {
		_, err := http.DefaultTransport.RoundTrip(req)
		ended <- err
	}()
	within(t, waiting, "the room has the request")
	cancel()
	if err := within(t, gone, "the room notices"); !errors.Is(err, context.Canceled) {
		t.Errorf("Await: got %v, want context.Canceled", err)
	}
	within(t, ended, "the client")
	visit(t, hs.URL+"/party/x").check(t, 200, "ok")
}

// TestStreamedResponse shows that what is flushed before an Await leaves then.
func TestStreamedResponse(t *testing.T) {
	next := make(chan struct{})
	hs := start(t, server.Rooms(script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush() // the headers alone
		for n := range 3 {
			r.Await(req.Context(), func(ctx context.Context) error { <-next; return nil })
			fmt.Fprintf(w, "data: %d\n", n)
			w.(http.Flusher).Flush()
		}
	}}.define("chat")))
	resp, err := http.Get(hs.URL + "/party/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("got type %q", got)
	}
	lines := bufio.NewReader(resp.Body)
	for n := range 3 {
		next <- struct{}{}
		got, err := lines.ReadString('\n')
		if want := fmt.Sprintf("data: %d\n", n); got != want || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v, want the end", rest, err)
	}
}

// TestBadUpgrade sends handshakes that are none.
func TestBadUpgrade(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	for _, head := range []string{
		"GET /party/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"GET /party/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"POST /party/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 0\r\n\r\n",
		"GET /party/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"GET /party/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", hs.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, head)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%q: %v", head, err)
		} else if resp.StatusCode != 400 {
			t.Errorf("%q: got %d, want 400", head, resp.StatusCode)
		}
		conn.Close()
	}
}
