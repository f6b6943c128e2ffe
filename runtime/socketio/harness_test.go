package socketio_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/socketio"
)

// patience bounds every wait of a test.
const patience = 60 * time.Second

// site is a server with one io at /socket.io/.
type site struct {
	t   *testing.T
	url string
	io  *socketio.Server // of the room "main", once it has started
}

// serve runs a mounted io for the length of a test.
func serve(t *testing.T, setup func(*socketio.Server), opts ...socketio.Option) *site {
	t.Helper()
	s := &site{t: t}
	def := socketio.Mount("/socket.io/", func(io *socketio.Server) {
		if io.Room().Name() == "main" {
			s.io = io
		}
		if setup != nil {
			setup(io)
		}
	}, opts...)
	s.start(def)
	return s
}

func (s *site) start(defs ...party.Definition) {
	s.t.Helper()
	srv, err := server.New(server.Rooms(defs...), server.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.url = newSite(s.t, srv).url
}

// newSite puts a server behind a listener for the length of a test.
func newSite(t *testing.T, srv interface {
	http.Handler
	Shutdown(ctx context.Context) error
}) *site {
	hs := httptest.NewUnstartedServer(srv)
	host := hs.Listener.Addr().String()
	if piped != nil {
		hs.Listener.Close()
		hs.Listener, host = piped, "piped.test"
	}
	hs.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		hs.Close()
	})
	return &site{t: t, url: "http://" + host}
}

// do runs fn as a turn of the io's room.
func (s *site) do(fn func()) {
	s.t.Helper()
	if err := s.io.Room().Do(fn); err != nil {
		s.t.Fatal(err)
	}
}

// handshake is the payload of an open packet.
type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpen(t *testing.T, packet string) (h handshake) {
	t.Helper()
	if !strings.HasPrefix(packet, "0") || json.Unmarshal([]byte(packet[1:]), &h) != nil {
		t.Fatalf("got %q, want an open packet", packet)
	}
	return h
}

// client is a Socket.IO client on a WebSocket, at the level of packets.
type client struct {
	t    *testing.T
	ws   *websocket.Conn
	open handshake
	sid  string // of the main namespace
}

// dial opens a connection without joining a namespace. query begins with &, if there is one.
func (s *site) dial(query string) *client {
	s.t.Helper()
	return dialURL(s.t, s.url+"/socket.io/?EIO=4&transport=websocket"+query, nil)
}

func dialURL(t *testing.T, url string, header http.Header) *client {
	t.Helper()
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http"), header)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	c := &client{t: t, ws: ws}
	if !strings.Contains(url, "sid=") {
		c.open = parseOpen(t, c.read())
	}
	return c
}

// connect opens a connection and joins the main namespace.
func (s *site) connect() *client {
	s.t.Helper()
	c := s.dial("")
	c.sid = c.join("")
	return c
}

// join joins a namespace ("/x,", or empty for the main one) and returns the socket's id.
func (c *client) join(nsp string) string {
	c.t.Helper()
	c.send("40" + nsp)
	var answer struct {
		SID string `json:"sid"`
	}
	got := c.read()
	if rest, ok := strings.CutPrefix(got, "40"+nsp); !ok || json.Unmarshal([]byte(rest), &answer) != nil || answer.SID == "" {
		c.t.Fatalf("joining %q got %q", nsp, got)
	}
	return answer.SID
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

func (c *client) sendBinary(b string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.BinaryMessage, []byte(b)); err != nil {
		c.t.Fatalf("send binary %q: %v", b, err)
	}
}

// read returns the next message; binary ones with "bin:" in front.
func (c *client) read() string {
	c.t.Helper()
	kind, data, err := c.ws.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if kind == websocket.BinaryMessage {
		return "bin:" + string(data)
	}
	return string(data)
}

func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		if got := c.read(); got != want {
			c.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// wantClosed reads until the server closes, and returns the messages before that.
func (c *client) wantClosed() []string {
	c.t.Helper()
	var got []string
	for {
		_, data, err := c.ws.ReadMessage()
		if err == nil {
			got = append(got, string(data))
			continue
		}
		if ne, ok := err.(interface{ Timeout() bool }); ok && ne.Timeout() {
			c.t.Fatalf("the connection was not closed; got %q", got)
		}
		return got
	}
}

// poller is a client over HTTP.
type poller struct {
	t    *testing.T
	url  string // with the sid
	open handshake
}

// poll opens a connection over HTTP without joining a namespace.
func (s *site) poll() *poller {
	s.t.Helper()
	return pollURL(s.t, s.url+"/socket.io/?EIO=4&transport=polling")
}

func pollURL(t *testing.T, url string) *poller {
	t.Helper()
	p := &poller{t: t, url: url}
	status, body := p.get()
	if status != 200 {
		t.Fatalf("handshake: %d %s", status, body)
	}
	p.open = parseOpen(t, body)
	p.url += "&sid=" + p.open.SID
	return p
}

func (p *poller) get() (int, string) {
	p.t.Helper()
	return request(p.t, "GET", p.url, "", nil)
}

func (p *poller) post(body string) (int, string) {
	p.t.Helper()
	return request(p.t, "POST", p.url, body, nil)
}

func (p *poller) send(body string) {
	p.t.Helper()
	if status, got := p.post(body); status != 200 || got != "ok" {
		p.t.Fatalf("POST %q: got %d %q, want 200 ok", body, status, got)
	}
}

func (p *poller) want(body string) {
	p.t.Helper()
	if status, got := p.get(); status != 200 || got != body {
		p.t.Fatalf("GET: got %d %q, want 200 %q", status, got, body)
	}
}

func request(t *testing.T, method, url, body string, header http.Header) (int, string) {
	t.Helper()
	resp := fetch(t, method, url, body, header)
	return resp.StatusCode, readBody(t, resp)
}

func readBody(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fetch(t *testing.T, method, url, body string, header http.Header) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := roundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp
}

// wait takes the next value from a channel.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing after %v", what, patience)
		panic("unreachable")
	}
}

// rawDial opens a plain WebSocket.
func rawDial(t *testing.T, url string) *client {
	t.Helper()
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(patience))
	return &client{t: t, ws: ws}
}
