package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/socketio"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// handed is a site whose code can be replaced.
type handed struct {
	*site
	p     *platform.Platform
	setup func(*socketio.Server)
	opts  []socketio.Option
}

func serveHanded(t *testing.T, setup func(*socketio.Server), opts ...socketio.Option) *handed {
	t.Helper()
	p, err := platform.New(platform.Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Limits: manifest.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	h := &handed{site: newSite(t, p), p: p, setup: setup, opts: opts}
	h.reload()
	return h
}

// reload makes fresh code take all rooms over.
func (h *handed) reload() {
	h.t.Helper()
	def := socketio.Mount("/socket.io/", func(io *socketio.Server) {
		h.io = io
		h.setup(io)
	}, h.opts...)
	host, err := party.NewHost(&party.App{Rooms: []party.Definition{def}}, party.HostOptions{Logger: slog.New(slog.DiscardHandler), IdleAfter: 20 * time.Millisecond})
	if err != nil {
		h.t.Fatal(err)
	}
	wait(h.t, h.p.SetHost(host), "hand-over")
}

// whoami answers with all that a socket is.
func whoami(io *socketio.Server) {
	on := func(n *socketio.Namespace) {
		n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("set", func(_ context.Context, args socketio.Args) error {
				s.Join("r1", "r2")
				s.Leave("r2")
				return s.SetData(args.At(0))
			})
			s.On("who", func(_ context.Context, args socketio.Args) error {
				data, err := socketio.DataOf[any](s)
				if err != nil {
					return err
				}
				rooms := slices.DeleteFunc(s.Rooms(), func(r string) bool { return r == s.ID() })
				return args.Ack(s.ID(), rooms, data, s.Handshake().Auth, s.Handshake().Query.Get("a"), s.Resumed(), s.Recovered())
			})
			s.On("room", func(_ context.Context, args socketio.Args) error { return s.To("r1").Emit("in r1", args.Values()...) })
			return nil
		})
	}
	on(io.Main())
	on(io.Of("/x"))
}

func TestHandOver(t *testing.T) {
	h := serveHanded(t, whoami)
	c := h.dial("&a=b")
	c.send(`40{"token":1}`)
	sid := parseConnect(t, c.read()).SID
	xid := c.join("/x,")
	c.send(`42["set",{"name":"ada"}]`)
	p := pollURL(t, h.url+"/socket.io/?EIO=4&transport=polling&a=c")
	p.send("40")
	_, body := p.get()
	pid := parseConnect(t, body).SID
	p.send(`42["set",[1]]`)
	for n := range 3 {
		h.reload()
		c.send(fmt.Sprintf(`42%d["who"]`, n))
		c.want(fmt.Sprintf(`43%d[%q,["r1"],{"name":"ada"},{"token":1},"b",true,false]`, n, sid))
		c.send(`42/x,7["who"]`)
		c.want(fmt.Sprintf(`43/x,7[%q,[],null,{},"b",true,false]`, xid))
		p.send(fmt.Sprintf(`42%d["who"]`, n))
		p.want(fmt.Sprintf(`43%d[%q,["r1"],[1],{},"c",true,false]`, n, pid))
		c.send(`42["room",1]`)
		p.want(`42["in r1",1]`)
		p.send(`42["room",2]`)
		c.want(`42["in r1",2]`)
	}
	// An upgrade works across a hand-over, too.
	ws := dialURL(t, p.url[:strings.Index(p.url, "transport")]+"transport=websocket&sid="+p.open.SID, nil)
	ws.send("2probe")
	ws.want("3probe")
	h.reload()
	ws.send("5")
	ws.send(`429["who"]`)
	ws.want(fmt.Sprintf(`439[%q,["r1"],[1],{},"c",true,false]`, pid))
	h.do(func() {
		if n := h.io.SocketsCount(); n != 2 {
			t.Errorf("got %d sockets, want 2", n)
		}
	})
}

type connectAnswer struct{ SID, PID string }

func parseConnect(t *testing.T, packet string) (a connectAnswer) {
	t.Helper()
	if !strings.HasPrefix(packet, "40{") || json.Unmarshal([]byte(packet[2:]), &a) != nil {
		t.Fatalf("got %q, want a connect packet", packet)
	}
	return a
}

// TestHandOverUnderTraffic wants every event answered once and in order while
// the code changes, also those whose attachments come on either side of a change.
func TestHandOverUnderTraffic(t *testing.T) {
	h := serveHanded(t, echoes)
	c := h.connect()
	const events = 400
	go func() {
		for n := range events {
			c.send(fmt.Sprintf(`451-["e",%d,{"_placeholder":true,"num":0}]`, n))
			c.sendBinary(fmt.Sprint(n))
		}
	}()
	for n := range events {
		if n%100 == 50 {
			h.reload()
		}
		c.want(fmt.Sprintf(`451-["re:e",%d,{"_placeholder":true,"num":0}]`, n), fmt.Sprintf("bin:%d", n))
	}
}

func TestPartialPacketAcrossHandOver(t *testing.T) {
	h := serveHanded(t, echoes)
	p := pollURL(t, h.url+"/socket.io/?EIO=4&transport=polling")
	p.send("40")
	p.get()
	p.send("452-[\"e\",{\"_placeholder\":true,\"num\":1}]\x1ebb25l")
	h.reload()
	h.reload()
	p.send("bdHdv")
	p.want("451-[\"re:e\",{\"_placeholder\":true,\"num\":0}]\x1ebdHdv")
}

func TestHibernation(t *testing.T) {
	still(t, func(t *testing.T) {
		started := make(chan struct{}, 16)
		h := serveHanded(t, func(io *socketio.Server) {
			whoami(io)
			started <- struct{}{}
		}, socketio.Hibernate(), socketio.PingInterval(30*time.Millisecond))
		c := h.dial("")
		c.send("40")
		var sid string
		c.ws.SetReadDeadline(time.Now().Add(patience))
		next := func() string {
			for {
				m := c.read()
				if m != "2" {
					return m
				}
				c.send("3")
			}
		}
		sid = parseConnect(t, next()).SID
		wait(t, started, "first start")
		for awake := true; awake; { // heartbeats do not keep it awake, but looking does
			for range 4 {
				c.want("2")
				c.send("3")
			}
			awake = h.io.Room().Do(func() {}) == nil
		}
		c.send(`421["who"]`)
		if got, want := next(), fmt.Sprintf(`431[%q,[],null,{},"",true,false]`, sid); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		wait(t, started, "second start")
	})
}

func TestTooMuchState(t *testing.T) {
	h := serveHanded(t, whoami)
	c := h.connect()
	c.send(`42["set","` + strings.Repeat("x", 20_000) + `"]`)
	c.send(`421["who"]`)
	c.read()
	h.reload()
	c.wantClosed()
}

func TestAwaitedAckEndsWithHandOver(t *testing.T) {
	ended := make(chan error, 1)
	h := serveHanded(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("ask", func(ctx context.Context, _ socketio.Args) error {
				_, err := s.EmitWithAck(ctx, "q")
				ended <- err
				return nil
			})
			s.On("quick", func(_ context.Context, _ socketio.Args) error {
				return s.Emit("q2", func(_ socketio.Args, err error) {
					if err == nil {
						t.Error("a late ack was taken for another's")
					}
				})
			})
			return nil
		})
	})
	c := h.connect()
	c.send(`42["ask"]`)
	c.want(`420["q"]`)
	began := time.Now()
	h.reload()
	if err := wait(t, ended, "ack"); !errors.Is(err, party.ErrReleased) {
		t.Errorf("got %v, want ErrReleased", err)
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("the hand-over took %v", d)
	}
	c.send(`42["quick"]`)
	c.want(`421["q2"]`)
	c.send("430[]") // the answer to what the old code asked
	c.send(`42["ask"]`)
	c.want(`422["q"]`)
}

func TestRecovery(t *testing.T) {
	for _, reloads := range []bool{false, true} {
		h := serveHanded(t, whoami, socketio.ConnectionStateRecovery(socketio.Recovery{}))
		c := h.dial("")
		c.send(`40{"first":true}`)
		first := parseConnect(t, c.read())
		if first.PID == "" {
			t.Fatal("no private id")
		}
		c.send(`42["set","data"]`)
		h.do(func() { h.io.Emit("a", 1) })
		var a []any
		if err := json.Unmarshal([]byte(c.read()[2:]), &a); err != nil || len(a) != 3 {
			t.Fatalf("got %v, %v, want an event with an offset", a, err)
		}
		offset := a[2].(string)
		c.ws.Close()
		for gone := false; !gone; {
			h.do(func() { gone = h.io.SocketsCount() == 0 })
		}
		if reloads {
			h.reload()
		}
		other := h.dial("")
		other.send("40")
		if got := parseConnect(t, other.read()); got.PID == first.PID || got.SID == first.SID {
			t.Errorf("a stranger got %+v", got)
		}
		h.do(func() {
			h.io.Emit("everybody", []byte("bin"))
			h.io.To("r1").Emit("room")
			h.io.To("other room").Emit("no")
			h.io.To(first.SID).Emit("direct")
			h.io.Except("r1").Emit("excepted")
			h.io.To().Volatile().Emit("volatile")
			s, _ := h.io.Socket(parseSID(h))
			s.Broadcast().Emit("from another")
		})
		back := h.dial("")
		back.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, first.PID, offset))
		var missed []string
		for {
			m := back.read()
			if strings.HasPrefix(m, "40") {
				if got := parseConnect(t, m); got != first {
					t.Errorf("recovered as %+v, want %+v", got, first)
				}
				break
			}
			name, _, _ := strings.Cut(m[strings.Index(m, "[")+1:], ",")
			missed = append(missed, name)
			if strings.HasPrefix(m, "451-") {
				back.want("bin:bin")
			}
		}
		if diff := cmp.Diff([]string{`"everybody"`, `"room"`, `"direct"`, `"from another"`}, missed); diff != "" {
			t.Errorf("missed (-want +got):\n%s", diff)
		}
		back.send(`421["who"]`)
		if got, want := back.read(), fmt.Sprintf(`431[%q,["r1"],"data",{"pid":%q,"offset":%q},"",false,true]`, first.SID, first.PID, offset); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		again := h.dial("") // a private id is good once, and an unknown offset for nothing
		again.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, first.PID, offset))
		if got := parseConnect(t, again.read()); got.SID == first.SID {
			t.Error("recovered twice")
		}
	}
}

// parseSID returns some socket's id. Called in a turn.
func parseSID(h *handed) string { return h.io.FetchSockets()[0].ID() }

func TestRecoveryMiddleware(t *testing.T) {
	for _, run := range []bool{false, true} {
		ran := 0
		s := serve(t, func(io *socketio.Server) {
			io.Use(func(context.Context, *socketio.Socket) error { ran++; return nil })
		}, socketio.ConnectionStateRecovery(socketio.Recovery{RunMiddlewares: run}))
		c := s.dial("")
		c.send("40")
		first := parseConnect(t, c.read())
		s.do(func() { s.io.Emit("a") })
		offset := strings.TrimSuffix(strings.TrimPrefix(c.read(), `42["a","`), `"]`)
		c.send("1")
		c.wantClosed()
		for gone := false; !gone; {
			s.do(func() { gone = s.io.SocketsCount() == 0 })
		}
		back := s.dial("")
		back.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, first.PID, offset))
		if got := parseConnect(t, back.read()); got != first {
			t.Errorf("got %+v, want %+v", got, first)
		}
		want := 1
		if run {
			want = 2
		}
		s.do(func() {
			if ran != want {
				t.Errorf("middleware ran %d times, want %d", ran, want)
			}
		})
	}
}

// game is a room type with an io of its own.
type game struct {
	party.Room
	ready bool
}

func (g *game) OnStart(context.Context) error { g.ready = true; return nil }

func (g *game) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	return g.Broadcast(msg)
}

func (g *game) OnSocketIO(io *socketio.Server) {
	if !g.ready {
		panic("OnSocketIO before OnStart")
	}
	io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("say", func(_ context.Context, args socketio.Args) error {
			n := 0
			for range g.Connections() {
				n++
			}
			return io.Emit("said", g.Name(), n, args.At(0))
		})
		return nil
	})
}

func TestAttach(t *testing.T) {
	s := &site{t: t}
	s.start(socketio.Attach(party.Define[game]("game")))
	dial := func(room string) *client {
		c := dialURL(t, s.url+"/parties/game/"+room+"/socket.io/?EIO=4&transport=websocket", nil)
		c.join("")
		return c
	}
	a, b := dial("a"), dial("b%2Fb")
	a.send(`42["say",1]`)
	a.want(`42["said","a",0,1]`)
	b.send(`42["say",2]`)
	b.want(`42["said","b/b",0,2]`)
	p := pollURL(t, s.url+"/party/a/socket.io?EIO=4&transport=polling")
	p.send("40")
	p.get()
	plain := rawDial(t, s.url+"/parties/game/a")
	plain.send("hello")
	plain.want("hello")
	a.send(`42["say",3]`)
	a.want(`42["said","a",1,3]`) // the room's broadcast was not for it
	p.want(`42["said","a",1,3]`)
	defer func() {
		if recover() == nil {
			t.Error("Attach took a type without OnSocketIO")
		}
	}()
	socketio.Attach(party.Define[echo]("echo"))
}
