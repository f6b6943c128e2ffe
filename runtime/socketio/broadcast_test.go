package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/socketio"
)

// crowd is some connected clients, each in the rooms that its name consists of.
type crowd struct {
	*site
	names   []string
	clients map[string]*client
}

func serveCrowd(t *testing.T, names ...string) *crowd {
	t.Helper()
	c := &crowd{site: serve(t, nil), names: names, clients: make(map[string]*client)}
	for _, name := range names {
		cl := c.connect()
		c.clients[name] = cl
		c.do(func() { c.socket(name).Join(strings.Split(name, "")...) })
	}
	return c
}

// socket is to be called in a turn.
func (c *crowd) socket(name string) *socketio.Socket {
	s, _ := c.io.Socket(c.clients[name].sid)
	return s
}

// got sends everybody a last event and returns who got how many before it.
func (c *crowd) got() map[string]int {
	c.t.Helper()
	c.do(func() { c.io.Emit("end") })
	out := make(map[string]int)
	for name, cl := range c.clients {
		for {
			m := cl.read()
			if m == `42["end"]` {
				break
			}
			if !strings.HasPrefix(m, "bin:") {
				out[name]++
			}
		}
	}
	return out
}

func TestBroadcasters(t *testing.T) {
	c := serveCrowd(t, "a", "b", "ab", "c")
	for name, e := range map[string]struct {
		emit func() error
		want map[string]int
	}{
		"all":                {func() error { return c.io.Emit("x") }, map[string]int{"a": 1, "b": 1, "ab": 1, "c": 1}},
		"local":              {func() error { return c.io.To().Local().Emit("x") }, map[string]int{"a": 1, "b": 1, "ab": 1, "c": 1}},
		"room":               {func() error { return c.io.To("a").Emit("x") }, map[string]int{"a": 1, "ab": 1}},
		"union, each once":   {func() error { return c.io.To("a").In("b").Emit("x") }, map[string]int{"a": 1, "b": 1, "ab": 1}},
		"several":            {func() error { return c.io.In("a", "b").Emit("x") }, map[string]int{"a": 1, "b": 1, "ab": 1}},
		"nobody":             {func() error { return c.io.To("none").Emit("x") }, map[string]int{}},
		"except":             {func() error { return c.io.Except("a").Emit("x") }, map[string]int{"b": 1, "c": 1}},
		"room except":        {func() error { return c.io.To("a").Except("b").Emit("x") }, map[string]int{"a": 1}},
		"except id":          {func() error { return c.io.Except(c.clients["c"].sid).Emit("x") }, map[string]int{"a": 1, "b": 1, "ab": 1}},
		"by id":              {func() error { return c.io.To(c.clients["c"].sid).Emit("x") }, map[string]int{"c": 1}},
		"broadcast":          {func() error { return c.socket("a").Broadcast().Emit("x") }, map[string]int{"b": 1, "ab": 1, "c": 1}},
		"socket to":          {func() error { return c.socket("a").To("a", "c").Emit("x") }, map[string]int{"ab": 1, "c": 1}},
		"socket to one room": {func() error { return c.socket("a").To("a").Emit("x") }, map[string]int{"ab": 1}},
		"socket except":      {func() error { return c.socket("a").Except("b").Emit("x") }, map[string]int{"c": 1}},
		"itself by id":       {func() error { return c.socket("a").To(c.clients["a"].sid).Emit("x") }, map[string]int{}},
		"binary":             {func() error { return c.io.To("a").Emit("x", []byte("1"), []byte("2")) }, map[string]int{"a": 1, "ab": 1}},
		"volatile":           {func() error { return c.io.To("a").Volatile().Compress(false).Emit("x") }, map[string]int{"a": 1, "ab": 1}},
		"message":            {func() error { return c.io.Send("x") }, map[string]int{"a": 1, "b": 1, "ab": 1, "c": 1}},
		"own event":          {func() error { return c.socket("b").Compress(true).Emit("x") }, map[string]int{"b": 1}},
	} {
		c.do(func() {
			if err := e.emit(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		if diff := cmp.Diff(e.want, c.got()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	c.do(func() {
		base := c.io.To("a")
		_ = base.To("b").Except("c")
		if got := len(base.FetchSockets()); got != 2 {
			t.Errorf("an operator has changed the one before it: got %d sockets, want 2", got)
		}
	})
}

func TestManySockets(t *testing.T) {
	c := serveCrowd(t, "a", "b", "ab")
	c.do(func() {
		c.io.In("a").SocketsJoin("n1", "n2")
		c.io.In("b").SocketsLeave("n1")
		names := func(room string) (out []string) {
			for _, s := range c.io.In(room).FetchSockets() {
				out = append(out, s.ID())
			}
			return out
		}
		if diff := cmp.Diff([]string{c.clients["a"].sid}, names("n1")); diff != "" {
			t.Errorf("n1 (-want +got):\n%s", diff)
		}
		if got := len(names("n2")); got != 2 {
			t.Errorf("n2: got %d sockets, want 2", got)
		}
		if got := len(c.io.FetchSockets()); got != 3 {
			t.Errorf("all: got %d sockets, want 3", got)
		}
		c.io.In("b").DisconnectSockets()
		if got := c.io.SocketsCount(); got != 1 {
			t.Errorf("after disconnecting: got %d sockets, want 1", got)
		}
		c.io.DisconnectSockets(socketio.AndClose())
	})
	c.clients["b"].want("41")
	c.clients["a"].wantClosedAfter("41")
}

func TestVolatile(t *testing.T) {
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error { return nil })
	})
	c := s.connect()
	p := s.poll()
	p.send("40")
	p.get()
	got := ""
	for got != "bin:x" { // until the socket has taken what came before; the poller is between two polls
		s.do(func() {
			s.io.To().Volatile().Emit("v", []byte("x"))
			s.io.To(c.sid).Emit("sure")
		})
		got = ""
		for m := c.read(); m != `42["sure"]`; m = c.read() {
			got = m
		}
	}
	s.do(func() { s.io.Emit("sure") })
	p.want(`42["sure"]`)
	c.want(`42["sure"]`)
	polled := make(chan string, 1)
	go func() {
		_, body := p.get()
		polled <- body
	}()
	for body := ""; body == ""; { // until the poll waits
		s.do(func() { s.io.To().Volatile().Emit("v", 1) })
		select {
		case body = <-polled:
			if !strings.HasPrefix(body, `42["v",1]`) {
				t.Errorf("the waiting poll got %q, want the volatile event", body)
			}
		default:
		}
	}
}

func TestAcks(t *testing.T) {
	still(t, func(t *testing.T) {
		s := serve(t, nil)
		a, b := s.connect(), s.connect()
		answers := make(chan string, 4)
		show := func(args socketio.Args, err error) { answers <- fmt.Sprint(texts(args), err) }
		s.do(func() {
			socket, _ := s.io.Socket(a.sid)
			socket.Emit("q", 1, show)
		})
		a.want(`420["q",1]`)
		a.send(`461-0["x",{"_placeholder":true,"num":0}]`)
		a.sendBinary("bin")
		if got, want := wait(t, answers, "ack"), `["x" bin] <nil>`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		a.send(`430["again"]`) // ignored
		s.do(func() {
			socket, _ := s.io.Socket(a.sid)
			socket.Timeout(20*time.Millisecond).Emit("never", show)
		})
		a.want(`421["never"]`)
		if got, want := wait(t, answers, "timeout"), "[] operation has timed out"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		s.do(func() {
			socket, _ := s.io.Socket(b.sid)
			socket.Emit("leaves", show)
		})
		b.want(`422["leaves"]`)
		b.send("41")
		if got := wait(t, answers, "disconnect"); !strings.Contains(got, socketio.ErrDisconnected.Error()) {
			t.Errorf("got %s, want ErrDisconnected", got)
		}
	})
}

func texts(args socketio.Args) []string {
	out := make([]string, args.Len())
	for n := range out {
		if b, ok := args.At(n).Bytes(); ok {
			out[n] = string(b)
			continue
		}
		b, _ := args.At(n).MarshalJSON()
		out[n] = string(b)
	}
	return out
}

func TestBroadcastAcks(t *testing.T) {
	still(t, func(t *testing.T) {
		s := serve(t, nil)
		type result struct {
			Answers []string
			Err     error
		}
		results := make(chan result, 1)
		collect := func(answers []socketio.Args, err error) {
			r := result{Err: err}
			for _, a := range answers {
				r.Answers = append(r.Answers, texts(a)...)
			}
			results <- r
		}
		start := func(c *client) { // wake the io up
			c.send(`42["x"]`)
		}
		a := s.connect()
		start(a)
		s.do(func() { s.io.To("nobody").Emit("q", collect) })
		if r := wait(t, results, "nobody"); r.Err != nil || len(r.Answers) != 0 {
			t.Errorf("nobody: got %v", r)
		}
		b := s.connect()
		s.do(func() { s.io.To().Timeout(patience).Emit("q", collect) })
		a.want(`420["q"]`)
		b.want(`420["q"]`)
		a.send("430[1]")
		b.send("430[2]")
		r := wait(t, results, "all")
		if len(r.Answers) != 2 || r.Err != nil {
			t.Errorf("got %v, want two answers", r)
		}
		s.do(func() { s.io.To().Timeout(30*time.Millisecond).Emit("q", collect) })
		a.want(`421["q"]`)
		a.send("431[3]")
		if r := wait(t, results, "partial"); !errors.Is(r.Err, socketio.ErrTimeout) || !cmp.Equal(r.Answers, []string{"3"}) {
			t.Errorf("partial: got %v, want 3 and a timeout", r)
		}
		b.want(`421["q"]`)
		b.send("431[4]") // too late
	})
}

func TestEmitWithAck(t *testing.T) {
	still(t, func(t *testing.T) {
		type out struct {
			Text string
			Err  error
		}
		results := make(chan out, 4)
		s := serve(t, func(io *socketio.Server) {
			io.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
				s.On("ask", func(ctx context.Context, _ socketio.Args) error {
					answer, err := s.EmitWithAck(ctx, "q", []byte("x"))
					results <- out{fmt.Sprint(texts(answer)), err}
					return nil
				})
				s.On("ask all", func(ctx context.Context, _ socketio.Args) error {
					answers, err := io.To().Timeout(30*time.Millisecond).EmitWithAck(ctx, "all")
					results <- out{fmt.Sprint(len(answers)), err}
					return nil
				})
				return nil
			})
		})
		a, b := s.connect(), s.connect()
		a.send(`42["ask"]`)
		a.want(`451-0["q",{"_placeholder":true,"num":0}]`, "bin:x")
		a.send(`430["fine"]`)
		if got := wait(t, results, "answer"); got.Text != `["fine"]` || got.Err != nil {
			t.Errorf("got %v", got)
		}
		a.send(`42["ask all"]`)
		a.want(`421["all"]`)
		b.want(`421["all"]`)
		b.send("431[]")
		if got := wait(t, results, "answers"); got.Text != "1" || !errors.Is(got.Err, socketio.ErrTimeout) {
			t.Errorf("got %v, want one answer and a timeout", got)
		}
		a.send(`42["ask"]`)
		a.read()
		a.read()
		a.ws.Close()
		if got := wait(t, results, "disconnect"); !errors.Is(got.Err, socketio.ErrDisconnected) {
			t.Errorf("got %v, want ErrDisconnected", got)
		}
	})
}

func TestTyped(t *testing.T) {
	type line struct {
		Text string
		Pic  []byte
	}
	said := socketio.NewEvent[line]("said")
	length := socketio.NewCall[string, int]("length")
	failed := make(chan error, 1)
	s := serve(t, func(io *socketio.Server) {
		io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			said.On(s, func(_ context.Context, l line) error { return said.Emit(io, l) })
			length.On(s, func(_ context.Context, text string) (int, error) { return len(text), nil })
			s.OnError(func(_ context.Context, err error) { failed <- err })
			s.On("ask", func(ctx context.Context, _ socketio.Args) error {
				n, err := length.Do(ctx, s.Timeout(patience), "four")
				if err != nil {
					return err
				}
				return s.Emit("answer", n)
			})
			return nil
		})
	})
	c := s.connect()
	c.send(`451-["said",{"Text":"hi","Pic":{"_placeholder":true,"num":0}}]`)
	c.sendBinary("pic")
	c.want(`451-["said",{"Text":"hi","Pic":{"_placeholder":true,"num":0}}]`, "bin:pic")
	c.send(`423["length","abc"]`)
	c.want("433[3]")
	c.send(`42["ask"]`)
	c.want(`420["length","four"]`)
	c.send("430[4]")
	c.want(`42["answer",4]`)
	c.send(`42["said","not an object"]`)
	if err := wait(t, failed, "error"); !strings.Contains(err.Error(), `event "said"`) {
		t.Errorf("got %v, want an error that names the event", err)
	}
}
