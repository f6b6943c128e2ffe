package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/socketio"
)

// echoes answers every event of a socket: by its ack if it asks for one, else by an event.
func echoes(io *socketio.Server) {
	io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.OnAny(func(_ context.Context, event string, args socketio.Args) error {
			if args.WantsAck() {
				args.Ack(args.Values()...)
				return args.Ack("twice")
			}
			return s.Emit("re:"+event, args.Values()...)
		})
		return nil
	})
}

func TestEvents(t *testing.T) {
	s := serve(t, echoes)
	c := s.connect()
	for in, want := range map[string]string{
		`42["a"]`:                                  `42["re:a"]`,
		`42["a",1,"2",{"3":[true]},null]`:          `42["re:a",1,"2",{"3":[true]},null]`,
		`42["a","てすと Я ü 𝄞 <&>"]`:                  `42["re:a","てすと Я ü 𝄞 <&>"]`,
		`42[7,1]`:                                  `42["re:7",1]`,
		`42456["a",1,"2",{"3":[false]}]`:           `43456[1,"2",{"3":[false]}]`,
		`420["a"]`:                                 `430[]`,
		`450-["a",1]`:                              `42["re:a",1]`,
		`42["a",{"_placeholder":true,"num":0}]`:    `42["re:a",{"_placeholder":true,"num":0}]`,
		`42["a","{\"_placeholder\":true}",1.50e3]`: `42["re:a","{\"_placeholder\":true}",1.50e3]`,
	} {
		c.send(in)
		c.want(want)
	}
	c.send(`452-7["b",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}}]`)
	c.sendBinary("one")
	c.sendBinary("two")
	c.want(`462-7[{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}]`, "bin:two", "bin:one")
	ten := `{"_placeholder":true,"num":0}`
	c.send(`4510-["c",` + ten + `]`)
	for range 10 {
		c.sendBinary("x")
	}
	c.want(`451-["re:c",`+ten+`]`, "bin:x")
}

func TestBinaryOverPolling(t *testing.T) {
	s := serve(t, echoes)
	p := s.poll()
	p.send("40")
	p.get()
	p.send("451-[\"a\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID")
	p.want("451-[\"re:a\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID")
}

// TestOrder mixes text and binary events over both transports.
func TestOrder(t *testing.T) {
	s := serve(t, echoes)
	c := s.connect()
	p := s.poll()
	p.send("40")
	p.get()
	var body []string
	for n := range 300 {
		c.send(fmt.Sprintf(`42["n",%d]`, n))
		c.send(fmt.Sprintf(`451-["b",%d,{"_placeholder":true,"num":0}]`, n))
		c.sendBinary(fmt.Sprint(n))
		body = append(body, fmt.Sprintf(`42["n",%d]`, n))
	}
	p.send(strings.Join(body, "\x1e"))
	for n := range 300 {
		c.want(fmt.Sprintf(`42["re:n",%d]`, n), fmt.Sprintf(`451-["re:b",%d,{"_placeholder":true,"num":0}]`, n), fmt.Sprintf("bin:%d", n))
	}
	p.want(strings.ReplaceAll(strings.Join(body, "\x1e"), `["n"`, `["re:n"`))
}

// TestViolations wants each of these to close the connection.
func TestViolations(t *testing.T) {
	still(t, func(t *testing.T) {
		s := serve(t, echoes)
		for _, packets := range [][]string{
			{"4"}, {"4abc"}, {"47"}, {`42["before connect"]`}, {"41"}, {`43[]`}, {`44{"message":"x"}`}, {"40[]"}, {"40", "40"},
			{"40", "42{}"}, {"40", "42[]"}, {"40", `42abc["a"]`}, {"40", `42["connect_error"]`}, {"40", `4511-["a"]`}, {"40", `45["a"]`}, {"40", `451-["a"]`, `42["b"]`},
			{"40", `42/unknown,["a"]`}, {"40", `43["no id"]`}, {"40", "41x"}, {"40", `44`}, {"40", "2"}, {"40", `450-["a",{"_placeholder":true,"num":0}]`},
		} {
			c := s.dial("")
			for _, p := range packets {
				c.send(p)
			}
			began := time.Now()
			c.wantClosed()
			if d := time.Since(began); d > 200*time.Millisecond {
				t.Errorf("%q: closed after %v, want at most 200 ms", packets, d)
			}
		}
		c := s.connect()
		c.sendBinary("unexpected")
		c.wantClosed()
		p := s.poll()
		p.send("4abc")
		p.want("6\x1e1")
		if status, _ := p.get(); status != 400 {
			t.Errorf("after the end: got %d, want 400", status)
		}
	})
}

func TestConnectTimeout(t *testing.T) {
	still(t, func(t *testing.T) {
		s := serve(t, nil, socketio.ConnectTimeout(50*time.Millisecond))
		s.dial("").wantClosed()
		c := s.dial("")
		c.join("")
		c.send(`42["a"]`) // nobody answers; the connection stays
		c.send("41")
		c.join("")
	})
}

func TestNamespaces(t *testing.T) {
	var made []string
	s := serve(t, func(io *socketio.Server) {
		io.OnNewNamespace(func(n *socketio.Namespace) { made = append(made, n.Name()) })
		if io.Of("") != io.Main() || io.Of("/") != io.Main() || io.Of("custom") != io.Of("/custom") {
			t.Error("names of namespaces")
		}
		echoes(io)
		io.Of("/custom").OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Emit("hello", s.Handshake().Auth) })
	})
	c := s.dial("")
	c.send("40/random,")
	c.want(`44/random,{"message":"Invalid namespace"}`)
	c.send(`40/custom,{"token":"abc"}`)
	if got := c.read(); !strings.HasPrefix(got, `40/custom,{"sid":"`) {
		t.Fatalf("got %q", got)
	}
	c.want(`42/custom,["hello",{"token":"abc"}]`)
	if main := c.join(""); main == c.open.SID {
		t.Error("the socket has the id of its connection")
	}
	c.send("41/custom,")
	c.send(`42["still"]`)
	c.want(`42["re:still"]`)
	c.join("/custom,")
	c.want(`42/custom,["hello",{}]`)
	if diff := cmp.Diff([]string{"/custom"}, made); diff != "" {
		t.Errorf("new namespaces (-want +got):\n%s", diff)
	}
}

func TestDynamicNamespaces(t *testing.T) {
	gone := make(chan string, 8)
	var parent *socketio.ParentNamespace
	s := serve(t, func(io *socketio.Server) {
		parent = io.OfPattern(regexp.MustCompile(`^/room-\d+$`))
		parent.Use(func(_ context.Context, s *socketio.Socket) error {
			if s.Handshake().Query.Get("no") != "" {
				return errors.New("no")
			}
			return nil
		})
		parent.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.OnDisconnect(func(_ context.Context, reason string) { gone <- s.Namespace().Name() })
			return nil
		})
		io.OfFunc(func(_ context.Context, name string, auth socketio.Value) bool {
			var a struct{ Token string }
			return auth.Decode(&a) == nil && a.Token == "good"
		})
	}, socketio.CleanupEmptyChildNamespaces())
	a, b := s.dial(""), s.dial("")
	a.join("/room-1,")
	b.join("/room-2,")
	b.send(`40/else,{"token":"good"}`)
	if got := b.read(); !strings.HasPrefix(got, "40/else,") {
		t.Fatalf("got %q", got)
	}
	b.send("40/other,")
	b.want(`44/other,{"message":"Invalid namespace"}`)
	s.do(func() { parent.Emit("all", 1) })
	a.want(`42/room-1,["all",1]`)
	b.want(`42/room-2,["all",1]`)
	refused := s.dial("&no=1")
	refused.send("40/room-3,")
	refused.want(`44/room-3,{"message":"no"}`)
	a.send("41/room-1,")
	wait(t, gone, "disconnect")
	s.do(func() {
		if got := parent.Children(); len(got) != 1 || got[0].Name() != "/room-2" {
			t.Errorf("got %d children, want /room-2", len(got))
		}
	})
}

func TestMiddleware(t *testing.T) {
	var order []string
	entered, release := make(chan struct{}), make(chan struct{})
	connected := make(chan string, 8)
	s := serve(t, func(io *socketio.Server) {
		io.Use(func(ctx context.Context, s *socketio.Socket) error {
			order = append(order, fmt.Sprint("first ", s.Connected()))
			s.Join("early")
			if s.Handshake().Query.Get("slow") != "" {
				return io.Room().Await(ctx, func(context.Context) error {
					close(entered)
					<-release
					return nil
				})
			}
			return nil
		})
		io.Use(func(_ context.Context, s *socketio.Socket) error {
			order = append(order, "second")
			switch s.Handshake().Query.Get("fail") {
			case "plain":
				return errors.New("not you")
			case "data":
				return &socketio.ConnectError{Message: "not you", Data: map[string]any{"code": 7}}
			case "panic":
				panic("middleware")
			}
			return nil
		})
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			connected <- s.ID()
			return nil
		})
		io.Of("/free")
	})
	c := s.connect()
	wait(t, connected, "connection")
	if diff := cmp.Diff([]string{"first false", "second"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for fail, want := range map[string]string{
		"plain": `44{"message":"not you"}`, "data": `44{"message":"not you","data":{"code":7}}`, "panic": `44{"message":"internal error"}`,
	} {
		c := s.dial("&fail=" + fail)
		c.send("40")
		c.want(want)
		c.join("/free,")
	}
	s.do(func() {
		if got := len(s.io.In("early").FetchSockets()); got != 1 {
			t.Errorf("got %d sockets in the early room, want 1", got)
		}
	})
	left := s.dial("&slow=1")
	left.send("40")
	wait(t, entered, "middleware")
	left.ws.Close()
	for {
		var n int
		s.do(func() { n = s.io.ClientsCount() })
		if n == 4 {
			break
		}
	}
	close(release)
	c.send(`421["x"]`) // a turn behind the middleware's end
	select {
	case id := <-connected:
		t.Errorf("socket %s connected though its client had left", id)
	default:
	}
}

func TestSocketMiddleware(t *testing.T) {
	failed := make(chan string, 1)
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.Use(func(_ context.Context, in *socketio.Incoming) error {
				if in.Event == "bad" {
					return errors.New("refused")
				}
				in.Event = strings.ToLower(in.Event)
				in.Args = in.Args[:1]
				return nil
			})
			s.OnError(func(_ context.Context, err error) { failed <- err.Error() })
			s.OnAny(func(_ context.Context, event string, args socketio.Args) error {
				return s.Emit(event, args.Values()...)
			})
			return nil
		})
	})
	c := s.connect()
	c.send(`42["LOUD",1,2]`)
	c.want(`42["loud",1]`)
	c.send(`42["bad"]`)
	if got := wait(t, failed, "error"); got != "refused" {
		t.Errorf("got %q, want refused", got)
	}
	c.send(`42["x",3]`)
	c.want(`42["x",3]`)
}

func TestListeners(t *testing.T) {
	var log []string
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			note := func(what string) socketio.AnyHandler {
				return func(_ context.Context, event string, _ socketio.Args) error {
					log = append(log, what+":"+event)
					return nil
				}
			}
			s.OnAny(note("b"))
			s.PrependAny(note("a"))
			off := s.OnAny(note("gone"))
			off()
			s.Once("x", func(context.Context, socketio.Args) error { log = append(log, "once"); return nil })
			s.On("x", func(context.Context, socketio.Args) error { log = append(log, "on"); return nil })
			s.OnAnyOutgoing(func(event string, args []any) { log = append(log, fmt.Sprintf("out:%s %v", event, args)) })
			s.PrependAnyOutgoing(func(event string, _ []any) { log = append(log, "pre:"+event) })
			s.On("done", func(_ context.Context, args socketio.Args) error { return args.Ack() })
			return nil
		})
	})
	c := s.connect()
	c.send(`42["x"]`)
	c.send(`42["x"]`)
	c.send(`420["done"]`)
	c.want("430[]")
	s.do(func() {
		s.io.Emit("all", []byte("bin"))
		socket, _ := s.io.Socket(c.sid)
		socket.Emit("one", 1)
		socket.OffAnyOutgoing()
		socket.Emit("two")
		socket.Off("x")
		socket.OffAny()
	})
	c.want(`451-["all",{"_placeholder":true,"num":0}]`, "bin:bin", `42["one",1]`, `42["two"]`)
	c.send(`42["x"]`)
	c.send(`421["done"]`)
	c.want("431[]")
	want := []string{"a:x", "b:x", "once", "on", "a:x", "b:x", "on", "a:done", "b:done", "pre:all", "out:all [[98 105 110]]", "pre:one", "out:one [1]"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReserved(t *testing.T) {
	s := serve(t, nil)
	c := s.connect()
	s.do(func() {
		socket, _ := s.io.Socket(c.sid)
		for _, event := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			for what, err := range map[string]error{
				"socket": socket.Emit(event), "namespace": s.io.Emit(event), "volatile": socket.Volatile().Emit(event),
				"room": s.io.To("x").Emit(event), "server side": s.io.ServerSideEmit(event),
				"ack": s.io.Emit(event, func([]socketio.Args, error) {}),
			} {
				if !errors.Is(err, socketio.ErrReserved) {
					t.Errorf("%s emit of %s: got %v, want ErrReserved", what, event, err)
				}
			}
		}
		if err := socket.Emit("x", func() {}); err == nil {
			t.Error("a function as an argument: got no error")
		}
		called := false
		if err := s.io.ServerSideEmit("x", func(answers []socketio.Args, err error) { called = len(answers) == 0 && err == nil }); err != nil || !called {
			t.Errorf("server side: got %v, called %v", err, called)
		}
	})
}

func TestDisconnect(t *testing.T) {
	still(t, func(t *testing.T) {
		events := make(chan string, 16)
		s := serve(t, func(io *socketio.Server) {
			note := func(_ context.Context, s *socketio.Socket) error {
				s.Join("r")
				s.OnDisconnecting(func(_ context.Context, reason string) {
					events <- fmt.Sprintf("%s disconnecting %s %d", s.Namespace().Name(), reason, len(s.Rooms()))
				})
				s.OnDisconnect(func(_ context.Context, reason string) {
					s.Join("late")
					events <- fmt.Sprintf("%s disconnect %s %d %v", s.Namespace().Name(), reason, len(s.Rooms()), s.Connected())
				})
				return nil
			}
			io.OnConnection(note)
			io.Of("/x").OnConnection(note)
		}, socketio.PingInterval(80*time.Millisecond), socketio.PingTimeout(40*time.Millisecond))
		both := func(nsp, reason string) []string {
			return []string{nsp + " disconnecting " + reason + " 2", nsp + " disconnect " + reason + " 0 false"}
		}
		for _, c := range []struct {
			end  func(c *client)
			want []string
		}{
			{func(c *client) { c.send("41") }, both("/", "client namespace disconnect")},
			{func(c *client) { c.ws.Close() }, append(both("/", "transport close"), both("/x", "transport close")...)},
			{func(c *client) { c.send("1") }, append(both("/", "transport close"), both("/x", "transport close")...)},
			{func(c *client) { c.send("4abc") }, append(both("/", "parse error"), both("/x", "parse error")...)},
			{func(c *client) { c.send("abc") }, append(both("/", "parse error"), both("/x", "parse error")...)},
			{func(c *client) {}, append(both("/", "ping timeout"), both("/x", "ping timeout")...)},
			{func(c *client) {
				s.do(func() { socket, _ := s.io.Socket(c.sid); socket.Disconnect() })
				c.want("41")
				c.send(`42["on its way"]`)
			}, both("/", "server namespace disconnect")},
			{func(c *client) {
				s.do(func() { socket, _ := s.io.Socket(c.sid); socket.Disconnect(socketio.AndClose()) })
				c.wantClosedAfter("41", "41/x,")
			}, append(both("/", "server namespace disconnect"), both("/x", "server namespace disconnect")...)},
			{func(c *client) { s.do(s.io.Close) }, append(both("/", "server shutting down"), both("/x", "server shutting down")...)},
		} {
			cl := s.connect()
			cl.join("/x,")
			c.end(cl)
			for _, want := range c.want {
				if got := wait(t, events, want); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			cl.ws.Close()
			for {
				var n int
				s.do(func() { n = s.io.ClientsCount() })
				if n == 0 {
					break
				}
			}
			for len(events) > 0 {
				<-events
			}
		}
	})
}

func TestHandshakeOfSockets(t *testing.T) {
	got := make(chan *socketio.Handshake, 1)
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			got <- s.Handshake()
			return s.Emit("handshake", s.Handshake())
		})
	})
	c := dialURL(t, s.url+"/socket.io/?EIO=4&transport=websocket&a=b&%26a=%26%3D%3Fa&x=1&x=2", map[string][]string{"X-My": {"header"}, "Origin": {"https://a.b"}})
	c.send(`40{"token":"t"}`)
	c.read()
	h := wait(t, got, "handshake")
	if h.Query.Get("&a") != "&=?a" || h.Query.Get("a") != "b" || h.Query.Get("EIO") != "4" || h.Headers.Get("X-My") != "header" || h.Address != "127.0.0.1" ||
		!h.XDomain || h.Secure || time.Since(h.Time) > patience || !strings.HasPrefix(h.URL, "/socket.io/?EIO=4&") {
		t.Errorf("got %+v", h)
	}
	text := c.read()
	for _, part := range []string{`"auth":{"token":"t"}`, `"x-my":"header"`, `"query":{"\u0026a"`, `"x":["1","2"]`, `"address":"127.0.0.1"`, `"xdomain":true`, `"secure":false`, `"issued":`} {
		if !strings.Contains(strings.ReplaceAll(text, `"&a"`, `"\u0026a"`), part) {
			t.Errorf("got %s, want %s in it", text, part)
		}
	}
}

func TestRoomNames(t *testing.T) {
	s := serve(t, nil)
	c := s.connect()
	s.do(func() {
		socket, _ := s.io.Socket(c.sid)
		socket.Join("b", "a", "b", c.sid)
		want := []string{"a", "b", c.sid}
		slices.Sort(want)
		if diff := cmp.Diff(want, socket.Rooms()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		socket.Leave("a")
		socket.Leave("never")
		if got := len(s.io.In("a").FetchSockets()); got != 0 {
			t.Errorf("got %d sockets in a room that was left, want 0", got)
		}
		type data struct{ Name string }
		if err := socket.SetData(data{"ada"}); err != nil {
			t.Error(err)
		}
		if got, err := socketio.DataOf[data](socket); err != nil || got.Name != "ada" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
