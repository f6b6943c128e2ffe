package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/socketio"
)

// echo is a raw Engine.IO server: it sends back what it gets.
type echo struct{ party.Room }

func (*echo) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(msg)
}

// serveEcho serves echo at /socket.io/.
func serveEcho(t *testing.T, change func(*party.EngineOptions)) *site {
	def := party.Define[echo]("echo")
	def.Engine = &party.EngineOptions{
		Path: "/socket.io/", Mount: "/socket.io/", MountRoom: "main", Polling: true, WebSocket: true,
		PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, UpgradeTimeout: 10 * time.Second, MaxPayload: 1e6,
	}
	if change != nil {
		change(def.Engine)
	}
	s := &site{t: t}
	s.start(def)
	return s
}

func TestHandshake(t *testing.T) {
	s := serveEcho(t, nil)
	p := s.poll()
	want := handshake{SID: p.open.SID, Upgrades: []string{"websocket"}, PingInterval: 25000, PingTimeout: 20000, MaxPayload: 1000000}
	if diff := cmp.Diff(want, p.open); diff != "" {
		t.Errorf("polling (-want +got):\n%s", diff)
	}
	if len(p.open.SID) != 20 {
		t.Errorf("got sid %q, want 20 characters", p.open.SID)
	}
	c := s.dial("")
	want.SID, want.Upgrades = c.open.SID, []string{}
	if diff := cmp.Diff(want, c.open); diff != "" {
		t.Errorf("websocket (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/socket.io", "/socket.io/default/"} {
		if status, body := request(t, "GET", s.url+path+"?EIO=4&transport=polling", "", nil); status != 200 || !strings.HasPrefix(body, "0{") {
			t.Errorf("%s: got %d %q, want a handshake", path, status, body)
		}
	}
	noUpgrades := serveEcho(t, func(o *party.EngineOptions) { o.NoUpgrade = true }).poll().open.Upgrades
	if len(noUpgrades) > 0 {
		t.Errorf("without upgrades got %v", noUpgrades)
	}
}

func TestRefusedRequests(t *testing.T) {
	s := serveEcho(t, nil)
	sid := s.poll().open.SID
	onSocket := s.dial("").open.SID
	for _, c := range []struct{ method, query, body string }{
		{"GET", "?EIO=4", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "?EIO=4&transport=abc", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "?EIO=4&transport=polling&sid=abc", `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "?EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"PUT", "?EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"OPTIONS", "?EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"DELETE", "?EIO=4&transport=polling&sid=" + sid, `{"code":2,"message":"Bad handshake method"}`},
		{"GET", "?EIO=4&transport=websocket", `{"code":3,"message":"Bad request"}`},
		{"GET", "?EIO=4&transport=websocket&sid=" + sid, `{"code":3,"message":"Bad request"}`},
		{"GET", "?EIO=4&transport=polling&sid=" + onSocket, `{"code":3,"message":"Bad request"}`},
		{"POST", "?EIO=4&transport=polling&sid=" + onSocket, `{"code":3,"message":"Bad request"}`},
		{"GET", "?transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "?EIO=3&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "?EIO=abc&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
	} {
		resp := fetch(t, c.method, s.url+"/socket.io/"+c.query, "", nil)
		status, body := resp.StatusCode, readBody(t, resp)
		if status != 400 || body != c.body || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got %d %s %s, want 400 %s", c.method, c.query, status, resp.Header.Get("Content-Type"), body, c.body)
		}
	}
}

// TestRefusedSockets wants plain HTTP errors, and no 101, for upgrades that cannot be.
func TestRefusedSockets(t *testing.T) {
	s := serveEcho(t, nil)
	for _, query := range []string{"?transport=websocket", "?EIO=3&transport=websocket", "?EIO=4", "?EIO=4&transport=polling", "?EIO=4&transport=websocket&sid=abc"} {
		_, resp, err := dialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/socket.io/"+query, nil)
		if err == nil || resp == nil || resp.StatusCode != 400 {
			t.Errorf("%s: got %v, %v, want 400", query, resp, err)
		}
	}
}

func TestPolling(t *testing.T) {
	s := serveEcho(t, nil)
	for _, body := range []string{
		"4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4€uro ü 𝄞 \u0000", "4", "b",
	} {
		p := s.poll()
		p.send(body)
		p.want(body)
	}
}

func TestBadPayloads(t *testing.T) {
	s := serveEcho(t, nil)
	for _, body := range []string{"", "abc", "4a\x1e", "\x1e4a", "b!!", "7", "2", "0", "5", "4\xff"} {
		p := s.poll()
		if status, got := p.post(body); status != 400 {
			t.Errorf("POST %q: got %d %q, want 400", body, status, got)
		}
		if status, got := p.get(); status != 400 {
			t.Errorf("GET after %q: got %d %q, want 400", body, status, got)
		}
	}
}

func TestOversize(t *testing.T) {
	s := serveEcho(t, func(o *party.EngineOptions) { o.MaxPayload = 100 })
	p := s.poll()
	if status, _ := p.post("4" + strings.Repeat("x", 100)); status != 413 {
		t.Errorf("got %d, want 413", status)
	}
	p = s.poll()
	body := "4" + strings.Repeat("x", 99)
	p.send(body)
	p.want(body)
	c := s.dial("")
	c.send("4" + strings.Repeat("x", 100))
	if got := c.wantClosed(); len(got) > 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestTwoPolls(t *testing.T) {
	s := serveEcho(t, nil)
	p := s.poll()
	first := make(chan string, 1)
	go func() {
		status, body := p.get()
		first <- fmt.Sprint(status, body)
	}()
	// Whichever comes second is refused; the other one gets the close packet.
	status, body := p.get()
	got := []string{fmt.Sprint(status, body), wait(t, first, "the other poll")}
	slices.Sort(got)
	if want := []string{"2001", `400{"code":3,"message":"Bad request"}`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if status, _ := p.get(); status != 400 {
		t.Errorf("afterwards got %d, want 400", status)
	}
}

func TestTwoPosts(t *testing.T) {
	entered := make(chan struct{})
	release := make(chan struct{})
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(context.Context, *socketio.Socket) error {
			close(entered)
			<-release
			return nil
		})
	})
	p := s.poll()
	first := make(chan struct{})
	go func() {
		defer close(first)
		p.post("40")
	}()
	wait(t, entered, "the handler")
	status, _ := p.post("40/x,")
	if status != 400 {
		t.Errorf("got %d, want 400", status)
	}
	close(release)
	<-first
	if status, _ := p.get(); status != 400 {
		t.Errorf("afterwards got %d, want 400", status)
	}
}

func TestAbortedPoll(t *testing.T) {
	still(t, func(t *testing.T) {
		reasons := make(chan string, 1)
		s := serve(t, func(io *socketio.Server) {
			io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
				s.OnDisconnect(func(_ context.Context, reason string) { reasons <- reason })
				return nil
			})
		})
		p := s.poll()
		p.send("40")
		p.get()
		ctx, cancel := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, "GET", p.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, cancel)
		if resp, err := roundTrip(req); err == nil {
			t.Fatalf("got %v, want the poll to wait", resp.Status)
		}
		if got := wait(t, reasons, "disconnect"); got != "transport error" {
			t.Errorf("got %q, want transport error", got)
		}
		if status, _ := p.get(); status != 400 {
			t.Errorf("afterwards got %d, want 400", status)
		}
	})
}

func TestSocketFrames(t *testing.T) {
	s := serveEcho(t, nil)
	c := s.dial("")
	c.send("4hello")
	c.want("4hello")
	c.sendBinary("\x01\x02")
	c.want("bin:\x01\x02")
	big := "4" + strings.Repeat("ü", 100_000)
	c.send(big)
	c.want(big)
	for _, bad := range []string{"", "abc", "2", "5", "0", "9"} {
		c := s.dial("")
		c.send(bad)
		c.wantClosed()
	}
	c = s.dial("")
	c.ws.WriteMessage(websocket.TextMessage, []byte("4\xff"))
	c.wantClosed()
}

func TestCloseByClient(t *testing.T) {
	s := serveEcho(t, nil)
	c := s.dial("")
	c.send("1")
	c.wantClosed()
	p := s.poll()
	polled := make(chan string, 1)
	go func() {
		_, body := p.get()
		polled <- body
	}()
	p.send("1")
	if got := wait(t, polled, "poll"); got != "6" {
		t.Errorf("the poll got %q, want 6", got)
	}
	if status, _ := p.get(); status != 400 {
		t.Errorf("afterwards got %d, want 400", status)
	}
}

func TestHeartbeat(t *testing.T) {
	still(t, func(t *testing.T) {
		s := serveEcho(t, func(o *party.EngineOptions) { o.PingInterval, o.PingTimeout = 60*time.Millisecond, 40*time.Millisecond })
		c := s.dial("")
		p := s.poll()
		for range 3 {
			c.want("2")
			c.send("3")
			p.want("2")
			p.send("3")
		}
		c.wantClosedAfter("2")
		// A session ends even if nobody polls, and then the poll is refused.
		late := s.poll()
		deadline := time.After(100 * time.Millisecond)
		<-deadline
		if status, body := late.get(); status != 400 {
			t.Errorf("the poll after interval and timeout: got %d %q, want 400", status, body)
		}
	})
}

func (c *client) wantClosedAfter(messages ...string) {
	c.t.Helper()
	if got := c.wantClosed(); !slices.Equal(got, messages) {
		c.t.Errorf("got %q before the end, want %q", got, messages)
	}
}

func TestUpgrade(t *testing.T) {
	s := serveEcho(t, nil)
	p := s.poll()
	polled := make(chan string, 1)
	go func() {
		_, body := p.get()
		polled <- body
	}()
	c := dialURL(t, s.url+"/socket.io/?EIO=4&transport=websocket&sid="+p.open.SID, nil)
	c.send("2probe")
	c.want("3probe")
	if got := wait(t, polled, "poll"); got != "6" {
		t.Errorf("the waiting poll got %q, want 6", got)
	}
	p.want("6") // a poll in between ends the same way
	p.send("4last over HTTP")
	c.send("5")
	c.want("4last over HTTP")
	c.send("4first over the socket")
	c.want("4first over the socket")
	if status, _ := p.get(); status != 400 {
		t.Errorf("GET after the upgrade: got %d, want 400", status)
	}
	second := dialURL(t, s.url+"/socket.io/?EIO=4&transport=websocket&sid="+p.open.SID, nil)
	second.wantClosed()
	c.send("4still here")
	c.want("4still here")
}

func TestFailedUpgrade(t *testing.T) {
	s := serveEcho(t, func(o *party.EngineOptions) { o.UpgradeTimeout = 50 * time.Millisecond })
	for _, frames := range [][]string{{"4hello"}, {"2probe", "4hello"}, {"2probe"}, {}} {
		p := s.poll()
		c := dialURL(t, s.url+"/socket.io/?EIO=4&transport=websocket&sid="+p.open.SID, nil)
		for _, f := range frames {
			c.send(f)
		}
		c.wantClosed()
		p.send("4on")
		p.want("4on")
	}
}

// TestUpgradeUnderTraffic wants every message once and in order, whichever way it goes.
func TestUpgradeUnderTraffic(t *testing.T) {
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			next := 0
			io.Room().Every(200*time.Microsecond, func() {
				if next < 300 {
					s.Emit("n", next)
					next++
				}
			})
			return nil
		})
	})
	p := s.poll()
	p.send("40")
	var got []string
	take := func(packets ...string) {
		for _, m := range packets {
			if strings.HasPrefix(m, "42") {
				got = append(got, m)
			}
		}
	}
	for len(got) < 50 {
		_, body := p.get()
		take(strings.Split(body, "\x1e")...)
	}
	c := dialURL(t, s.url+"/socket.io/?EIO=4&transport=websocket&sid="+p.open.SID, nil)
	c.send("2probe")
	_, body := p.get()
	take(strings.Split(body, "\x1e")...)
	for c.read() != "3probe" {
	}
	c.send("5")
	for len(got) < 300 {
		take(c.read())
	}
	for n, m := range got {
		if want := fmt.Sprintf(`42["n",%d]`, n); m != want {
			t.Fatalf("message %d: got %s, want %s", n, m, want)
		}
	}
}

func TestCORS(t *testing.T) {
	s := serve(t, nil, socketio.CORS(socketio.CORSOptions{
		Origins: []string{"https://example.com", "https://*.example.org"}, AllowedHeaders: []string{"my-header"}, Credentials: true, MaxAge: 60,
	}))
	url := s.url + "/socket.io/?EIO=4&transport=polling"
	resp := fetch(t, "OPTIONS", url, "", http.Header{"Origin": {"https://example.com"}, "Access-Control-Request-Method": {"POST"}})
	got := map[string]string{"status": fmt.Sprint(resp.StatusCode)}
	for _, k := range []string{"Origin", "Methods", "Headers", "Credentials"} {
		got[k] = resp.Header.Get("Access-Control-Allow-" + k)
	}
	want := map[string]string{
		"status": "204", "Origin": "https://example.com", "Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Headers": "my-header", "Credentials": "true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("preflight (-want +got):\n%s", diff)
	}
	for origin, want := range map[string]string{
		"https://a.example.org": "https://a.example.org", "https://example.org": "", "https://evil.com/.example.org": "", "https://evil.com": "",
	} {
		resp := fetch(t, "GET", url, "", http.Header{"Origin": {origin}})
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || !slices.Contains(resp.Header.Values("Vary"), "Origin") {
			t.Errorf("origin %s: got %q, want %q", origin, got, want)
		}
		resp.Body.Close()
	}
	open := serve(t, nil, socketio.CORS(socketio.CORSOptions{Origins: []string{"*"}}))
	resp = fetch(t, "OPTIONS", open.url+"/socket.io/", "", http.Header{"Origin": {"https://a.b"}, "Access-Control-Request-Headers": {"x-y"}})
	if o, h := resp.Header.Get("Access-Control-Allow-Origin"), resp.Header.Get("Access-Control-Allow-Headers"); o != "*" || h != "x-y" {
		t.Errorf("got origin %q, headers %q, want *, x-y", o, h)
	}
}

func TestCookieOrigin(t *testing.T) {
	s := serve(t, nil, socketio.CORS(socketio.CORSOptions{Origins: []string{"https://good.example"}}))
	for origin, want := range map[string]int{"https://good.example": 101, "https://evil.example": 403} {
		_, resp, _ := dialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/socket.io/?EIO=4&transport=websocket",
			http.Header{"Origin": {origin}, "Cookie": {"session=1"}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s with a cookie: got %v, want %d", origin, resp, want)
		}
	}
}

func TestHeadersAndCookie(t *testing.T) {
	s := serve(t, nil,
		socketio.Cookie(http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}),
		socketio.EditHandshakeHeaders(func(h http.Header, r *http.Request) { h.Set("X-First", r.URL.Query().Get("a")) }),
		socketio.EditResponseHeaders(func(h http.Header, _ *http.Request) { h.Set("My-Header", "abcd") }))
	resp := fetch(t, "GET", s.url+"/socket.io/?EIO=4&transport=polling&a=b", "", nil)
	sid := parseOpen(t, readBody(t, resp)).SID
	if got, want := resp.Header.Get("Set-Cookie"), "io="+sid+"; Path=/; HttpOnly; SameSite=Strict"; got != want {
		t.Errorf("got cookie %q, want %q", got, want)
	}
	if a, b := resp.Header.Get("X-First"), resp.Header.Get("My-Header"); a != "b" || b != "abcd" {
		t.Errorf("handshake: got %q and %q, want b and abcd", a, b)
	}
	resp = fetch(t, "POST", s.url+"/socket.io/?EIO=4&transport=polling&sid="+sid, "40", nil)
	if a, b := resp.Header.Get("X-First"), resp.Header.Get("My-Header"); a != "" || b != "abcd" {
		t.Errorf("POST: got %q and %q, want none and abcd", a, b)
	}
}

func TestAllowRequest(t *testing.T) {
	s := serve(t, nil, socketio.AllowRequest(func(_ context.Context, r *http.Request) error {
		if r.URL.Query().Get("token") != "good" {
			return errors.New("thou shall not pass")
		}
		return nil
	}))
	status, body := request(t, "GET", s.url+"/socket.io/?EIO=4&transport=polling", "", nil)
	if want := `{"code":4,"message":"thou shall not pass"}`; status != 403 || body != want {
		t.Errorf("got %d %s, want 403 %s", status, body, want)
	}
	_, resp, err := dialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err == nil || resp.StatusCode != 403 {
		t.Errorf("socket: got %v, want 403", resp)
	}
	s.dial("&token=good").join("")
}

func TestTransports(t *testing.T) {
	s := serve(t, nil, socketio.Transports("websocket"))
	if status, body := request(t, "GET", s.url+"/socket.io/?EIO=4&transport=polling", "", nil); status != 400 || !strings.Contains(body, `"code":0`) {
		t.Errorf("got %d %s, want 400 with code 0", status, body)
	}
	s.connect()
}

// TestSlowPoller wants the session to end before it holds more than the limit.
func TestSlowPoller(t *testing.T) {
	reasons := make(chan string, 1)
	def := socketio.Mount("/socket.io/", func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.OnDisconnect(func(_ context.Context, reason string) { reasons <- reason })
			s.On("flood", func(context.Context, socketio.Args) error {
				for range 100 {
					if s.Emit("x", strings.Repeat("x", 1000)) != nil {
						break
					}
				}
				return nil
			})
			return nil
		})
	})
	srv, err := server.New(server.Rooms(def), server.WithLimits(server.Limits{SendQueueBytes: 10_000}))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, srv)
	p := s.poll()
	p.send("40")
	p.get()
	p.send(`42["flood"]`)
	if status, body := p.get(); status != 200 || body != "6\x1e1" {
		t.Errorf("got %d and %d bytes, want just the end", status, len(body))
	}
	if got := wait(t, reasons, "disconnect"); got != "forced close" {
		t.Errorf("got %q, want forced close", got)
	}
}

// TestOtherRoom wants a sid to be good in its own room only.
func TestOtherRoom(t *testing.T) {
	s := serve(t, nil)
	p := pollURL(t, s.url+"/parties/socketio/a/socket.io/?EIO=4&transport=polling")
	url := strings.Replace(p.url, "/a/", "/b/", 1)
	if status, body := request(t, "GET", url, "", nil); status != 400 || !strings.Contains(body, `"code":1`) {
		t.Errorf("got %d %s, want 400 with code 1", status, body)
	}
	p.send("40")
	if status, _ := p.get(); status != 200 {
		t.Errorf("in its own room: got %d, want 200", status)
	}
}
