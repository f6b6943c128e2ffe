package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// ids lists connections in the order of their names.
func ids(r *scripted, tags ...string) string {
	var out []string
	for c := range r.Connections(tags...) {
		out = append(out, c.ID())
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// TestTwoSocketsOneID shows that both are members, and that the newer one answers to the id.
func TestTwoSocketsOneID(t *testing.T) {
	closed := make(chan string, 1)
	s := script{
		connect: func(_ context.Context, _ *scripted, c *party.Conn, req *http.Request) error {
			return c.SetState(req.URL.Query().Get("n"))
		},
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			switch msg.Text() {
			case "all":
				return r.Broadcast(party.Text("to all"))
			case "top":
				top, ok := r.Connection("ada")
				if !ok {
					return c.Send(party.Text("nobody"))
				}
				n, err := party.StateOf[string](top)
				return errors.Join(err, c.Send(party.Text(n+" of "+ids(r))))
			}
			top, _ := r.Connection("ada")
			return top.Send(msg)
		},
		close: func(_ context.Context, _ *scripted, c *party.Conn, _ party.CloseEvent) {
			n, _ := party.StateOf[string](c)
			closed <- n
		},
	}
	hs := start(t, server.Rooms(s.define("chat")))
	watch := dial(t, hs, "/party/x?_pk=watch")
	var adas []*client
	for n := range 4 {
		adas = append(adas, dial(t, hs, fmt.Sprint("/party/x?_pk=ada&n=", n)))
	}
	check := func(want string) {
		t.Helper()
		watch.say("top")
		watch.want(want)
	}
	leave := func(n int) {
		t.Helper()
		adas[n].leave(1000, "")
		if got := within(t, closed, "OnClose"); got != fmt.Sprint(n) {
			t.Errorf("OnClose of socket %s, want %d", got, n)
		}
	}
	check("3 of ada,ada,ada,ada,watch")
	leave(1) // an older one
	check("3 of ada,ada,ada,watch")
	adas[0].say("hello")
	adas[3].want("hello")
	adas[0].say("all")
	for _, c := range []*client{adas[0], adas[2], adas[3], watch} {
		c.want("to all")
	}
	leave(3) // the newest
	check("2 of ada,ada,watch")
	leave(0) // the oldest
	check("2 of ada,watch")
	leave(2)
	check("nobody")
}

// TestBroadcastOptions sends to some and looks at who got it.
func TestBroadcastOptions(t *testing.T) {
	s := script{
		tags: func(_ context.Context, _ *scripted, _ *party.Conn, req *http.Request) ([]string, error) {
			return req.URL.Query()["tag"], nil
		},
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			defer r.Broadcast(party.Text("end"))
			switch msg.Text() {
			case "all":
				return r.Broadcast(msg)
			case "except":
				return r.Broadcast(msg, party.Except(c, nil))
			case "except id":
				return r.Broadcast(msg, party.ExceptID("b", "nobody"))
			case "tag":
				return r.Broadcast(msg, party.WithTag("red"))
			case "tag that is an id":
				return r.Broadcast(msg, party.WithTag("a"))
			case "tag except":
				return r.Broadcast(msg, party.WithTag("red"), party.Except(c), party.ExceptID("c"))
			case "volatile":
				return r.Broadcast(msg, party.Volatile())
			case "list":
				return r.Broadcast(party.Text(ids(r) + " " + ids(r, "red") + " " + ids(r, "red", "tall") + " " + ids(r, "a") + " " + ids(r, "none")))
			}
			return nil
		},
	}
	hs := start(t, server.Rooms(s.define("chat")))
	clients := []*client{
		dial(t, hs, "/party/x?_pk=a&tag=red"),
		dial(t, hs, "/party/x?_pk=b&tag=blue"),
		dial(t, hs, "/party/x?_pk=b&tag=red&tag=tall"),
		dial(t, hs, "/party/x?_pk=c&tag=red&tag=tall"),
	}
	for _, test := range []struct{ say, to string }{
		{"all", "0123"}, {"except", "123"}, {"except id", "03"}, {"tag", "023"}, {"tag that is an id", "0"}, {"tag except", "2"}, {"volatile", "0123"},
	} {
		clients[0].say(test.say)
		for n, c := range clients {
			if strings.Contains(test.to, fmt.Sprint(n)) {
				c.want(test.say)
			}
			c.want("end")
		}
	}
	clients[0].say("list")
	clients[0].want("a,b,b,c a,b,c b,c a ")
}

// TestStateOfConnections is about what a connection carries.
func TestStateOfConnections(t *testing.T) {
	type state struct{ Name string }
	s := script{message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
		switch msg.Text() {
		case "fits":
			return c.SetState(strings.Repeat("x", 16<<10-2))
		case "too large":
			err := c.SetState(strings.Repeat("x", 16<<10-1))
			return c.Send(party.Text(fmt.Sprint(errors.Is(err, party.ErrStateTooLarge))))
		case "bad":
			return c.Send(party.Text(fmt.Sprint(c.SetState(func() {}) != nil)))
		case "remove":
			return c.SetState(nil)
		case "set":
			return c.SetState(state{"ada"})
		case "len":
			v, err := party.StateOf[string](c)
			return errors.Join(err, c.Send(party.Text(fmt.Sprint(len(v)))))
		case "mismatch":
			_, err := party.StateOf[int](c)
			return c.Send(party.Text(fmt.Sprint(err != nil)))
		}
		v, err := party.StateOf[state](c)
		return errors.Join(err, c.Send(party.Text("name "+v.Name)))
	}}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	c := dial(t, hs, "/party/x")
	for _, step := range []struct{ say, want string }{
		{"get", "name "}, {"fits", ""}, {"len", "16382"}, {"too large", "true"}, {"len", "16382"}, {"bad", "true"},
		{"set", ""}, {"get", "name ada"}, {"mismatch", "true"}, {"remove", ""}, {"get", "name "},
	} {
		c.say(step.say)
		if step.want != "" {
			c.want(step.want)
		}
	}
}

// TestCloseInCallbacks closes the connection that the callback is about.
func TestCloseInCallbacks(t *testing.T) {
	events := make(chan string, 10)
	s := script{
		connect: func(_ context.Context, r *scripted, c *party.Conn, req *http.Request) error {
			if req.URL.Query().Has("connect") {
				c.Send(party.Text("first"))
				err := c.Close(4000, "in OnConnect")
				events <- fmt.Sprint(err, " ", c.Close(4001, "again"), " ", ids(r))
			}
			return nil
		},
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			c.Send(party.Text("first"))
			c.Close(4002, "in OnMessage")
			_, listed := r.Connection(c.ID())
			events <- fmt.Sprint(c.Send(party.Text("late")), " ", ids(r), " ", listed)
			return r.Broadcast(party.Text("to nobody"))
		},
		close: func(_ context.Context, r *scripted, c *party.Conn, ev party.CloseEvent) {
			events <- fmt.Sprint(ev.Code, " ", ev.Reason, " ", c.Close(4003, "in OnClose"), " ", c.SetState(1))
		},
	}
	hs := start(t, server.Rooms(s.define("chat")))
	c := dial(t, hs, "/party/x?connect")
	c.want("first")
	c.wantClose(4000, "in OnConnect")
	const closed = "party: connection is closed"
	for _, want := range []string{"<nil> " + closed + " ", "4000 in OnConnect " + closed + " " + closed} {
		if got := within(t, events, "event"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	c = dial(t, hs, "/party/x")
	c.say("x")
	c.want("first")
	c.wantClose(4002, "in OnMessage")
	for _, want := range []string{closed + "  false", "4002 in OnMessage " + closed + " " + closed} {
		if got := within(t, events, "event"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestFromGoroutines sends and closes outside turns, from many goroutines at once, while turns run.
func TestFromGoroutines(t *testing.T) {
	const senders, each = 8, 50
	var wg sync.WaitGroup
	s := script{
		connect: func(_ context.Context, _ *scripted, c *party.Conn, _ *http.Request) error {
			if c.ID() != "target" {
				return nil
			}
			for n := range senders {
				wg.Go(func() {
					for m := range each {
						if err := c.Send(party.Text(fmt.Sprintf("%d %d", n, m))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			go func() {
				wg.Wait()
				c.Close(4000, "all said")
			}()
			return nil
		},
		message: echo,
	}
	hs := start(t, server.Rooms(s.define("chat")))
	busy := dial(t, hs, "/party/x")
	target := dial(t, hs, "/party/x?_pk=target")
	next := make([]int, senders)
	for range senders * each {
		busy.say("x")
		busy.want("x")
		_, data, err := target.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var n, m int
		fmt.Sscan(string(data), &n, &m)
		if m != next[n] {
			t.Fatalf("sender %d: got message %d, want %d", n, m, next[n])
		}
		next[n]++
	}
	target.wantClose(4000, "all said")
}

// TestSendAfterClose shows that a goroutine that outlives its connection learns of it.
func TestSendAfterClose(t *testing.T) {
	conns := make(chan *party.Conn, 1)
	gone := make(chan struct{})
	hs := start(t, server.Rooms(script{
		connect: func(_ context.Context, _ *scripted, c *party.Conn, _ *http.Request) error { conns <- c; return nil },
		close:   func(context.Context, *scripted, *party.Conn, party.CloseEvent) { close(gone) },
	}.define("chat")))
	c := dial(t, hs, "/party/x")
	conn := <-conns
	ended := make(chan error, 1)
	go func() {
		for {
			if err := conn.Send(party.Text("tick")); err != nil {
				ended <- err
				return
			}
		}
	}()
	c.Close()
	within(t, gone, "OnClose")
	if err := within(t, ended, "the goroutine"); !errors.Is(err, party.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
