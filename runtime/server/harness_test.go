package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// patience bounds every wait of a test that is going to fail.
const patience = 60 * time.Second

// quiet keeps failures that a test provokes out of its output.
func quiet() server.Option { return server.Logger(slog.New(slog.DiscardHandler)) }

// logged is a log that tests look into.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) option() server.Option { return server.Logger(slog.New(slog.NewTextHandler(l, nil))) }

// answer is an HTTP response, read.
type answer struct {
	status int
	body   string
	header http.Header
}

// fetch sends a request without following redirects. header is given in pairs.
func fetch(t *testing.T, method, url, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	setHeader(req.Header, header)
	return send(t, http.DefaultTransport, req)
}

func visit(t *testing.T, url string, header ...string) answer {
	t.Helper()
	return fetch(t, "GET", url, "", header...)
}

func send(t *testing.T, via http.RoundTripper, req *http.Request) answer {
	t.Helper()
	if _, ok := req.Context().Deadline(); !ok {
		ctx, cancel := context.WithTimeout(req.Context(), patience)
		defer cancel()
		req = req.WithContext(ctx)
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: read the body: %v", req.Method, req.URL, err)
	}
	return answer{resp.StatusCode, string(body), resp.Header}
}

func setHeader(h http.Header, pairs []string) {
	for n := 0; n < len(pairs); n += 2 {
		h.Set(pairs[n], pairs[n+1])
	}
}

func (a answer) check(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("got %d %q, want %d %q", a.status, a.body, status, body)
	}
}

// dialWith is dial with headers, in pairs.
func dialWith(t *testing.T, hs *httptest.Server, path string, header ...string) (*client, *http.Response) {
	t.Helper()
	h := http.Header{}
	setHeader(h, header)
	ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+path, h)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", path, err, resp)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	return &client{t, ws}, resp
}

// refused dials and wants a plain HTTP answer.
func refused(t *testing.T, hs *httptest.Server, path string, header ...string) answer {
	t.Helper()
	h := http.Header{}
	setHeader(h, header)
	ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+path, h)
	if err == nil {
		ws.Close()
		t.Fatalf("dial %s: let in, want a refusal", path)
	}
	if resp == nil {
		t.Fatalf("dial %s: %v", path, err)
	}
	body, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(body), resp.Header}
}

// wantClose reads a close frame as the next frame.
func (c *client) wantClose(code int, reason string) {
	c.t.Helper()
	_, data, err := c.ReadMessage()
	ce, ok := err.(*websocket.CloseError)
	if !ok {
		c.t.Fatalf("got %q, %v, want close %d %q", data, err, code, reason)
	}
	if ce.Code != code || ce.Text != reason {
		c.t.Fatalf("got close %d %q, want %d %q", ce.Code, ce.Text, code, reason)
	}
}

// leave closes with a handshake and waits for its end.
func (c *client) leave(code int, reason string) {
	c.t.Helper()
	if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, code) {
				c.t.Fatalf("after closing with %d: %v", code, err)
			}
			return
		}
	}
}

// within gets a value from a channel, or fails the test.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: still waiting after %v", what, patience)
		panic("unreachable")
	}
}

// until waits for a state that nothing announces.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: still waiting after %v", what, patience)
		}
	}
}

// serve serves a platform for the length of a test, over real sockets. Its
// store is in memory unless set.
func serve(t *testing.T, o platform.Options) (*platform.Platform, *httptest.Server) {
	t.Helper()
	if o.Store == nil {
		o.Store = memory.New()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := platform.New(o)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(p)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		hs.Close()
	})
	return p, hs
}

// host makes a host of room types.
func host(t *testing.T, o party.HostOptions, defs ...party.Definition) link.Host {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := party.NewHost(&party.App{Rooms: defs}, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tryDial is dial for attempts that may fail.
func tryDial(hs *httptest.Server, path string) (*websocket.Conn, *http.Response, error) {
	return websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+path, nil)
}

// serveOnce serves a server that the test shuts down itself.
func serveOnce(t *testing.T, s *server.Server) *httptest.Server {
	hs := httptest.NewServer(s)
	t.Cleanup(hs.Close)
	return hs
}
