package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/pipetest"
	"github.com/goparty-dev/party/internal/platform"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// pipes is a server reached through net.Pipe, for tests in a synctest bubble.
type pipes struct {
	*pipetest.Listener
	t *testing.T
}

// startPipes serves h without a network. The caller shuts h down; what remains is closed with the test.
func startPipes(t *testing.T, h http.Handler) *pipes {
	p := &pipes{t: t, Listener: pipetest.Listen()}
	hs := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(p) }()
	t.Cleanup(func() {
		hs.Close()
		<-served
	})
	return p
}

// RoundTrip sends a request on a connection of its own.
func (p *pipes) RoundTrip(r *http.Request) (*http.Response, error) {
	t := &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
	return t.RoundTrip(r)
}

// reader is a WebSocket client that notes what arrives.
type reader struct {
	*websocket.Conn
	mu     sync.Mutex
	frames []string
	err    error
	ended  chan struct{}
}

// dial connects and reads in the background.
func (p *pipes) dial(path string) (*reader, error) {
	d := websocket.Dialer{NetDialContext: p.Dial}
	ws, _, err := d.Dial("ws://pipes"+path, nil)
	if err != nil {
		return nil, err
	}
	r := &reader{Conn: ws, ended: make(chan struct{})}
	go r.run()
	p.t.Cleanup(func() {
		ws.Close()
		<-r.ended
	})
	return r, nil
}

func (p *pipes) mustDial(path string) *reader {
	p.t.Helper()
	r, err := p.dial(path)
	if err != nil {
		p.t.Fatalf("dial %s: %v", path, err)
	}
	return r
}

func (r *reader) run() {
	defer close(r.ended)
	for {
		_, data, err := r.ReadMessage()
		r.mu.Lock()
		if err != nil {
			r.err = err
			r.mu.Unlock()
			return
		}
		r.frames = append(r.frames, string(data))
		r.mu.Unlock()
	}
}

// take returns what has arrived since the last call, separated by spaces.
func (r *reader) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.frames, " ")
	r.frames = nil
	return s
}

func (r *reader) closeCode() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ce, ok := r.err.(*websocket.CloseError); ok {
		return ce.Code
	}
	return 0
}

func (r *reader) say(t *testing.T, text string) {
	t.Helper()
	if err := r.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
}

// request sends a request in the background.
func (p *pipes) request(method, path string) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, method, "http://pipes"+path, nil)
		out <- send(p.t, p, req)
	}()
	return out
}

// arrived returns what is there now.
func arrived[T any](c <-chan T) (v T, ok bool) {
	synctest.Wait()
	select {
	case v := <-c:
		return v, true
	default:
		return v, false
	}
}

// get is request for an answer that is there at once.
func (p *pipes) get(path string) string {
	p.t.Helper()
	a, ok := arrived(p.request("GET", path))
	if !ok || a.status != 200 {
		p.t.Fatalf("%s: got %v, %v", path, a, ok)
	}
	return a.body
}

// pause waits without holding up the test: in a bubble time is not real.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bubble is a server without a network, shut down at the end of the test.
func bubble(t *testing.T, opts ...server.Option) *pipes {
	t.Helper()
	s, err := server.New(append([]server.Option{quiet()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	p := startPipes(t, s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return p
}

// bubblePlatform is bubble for what only a platform has options for.
func bubblePlatform(t *testing.T, o platform.Options) (*platform.Platform, *pipes) {
	t.Helper()
	o.Store = memory.New()
	p, err := platform.New(o)
	if err != nil {
		t.Fatal(err)
	}
	pipes := startPipes(t, p)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return p, pipes
}
