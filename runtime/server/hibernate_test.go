package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// sleepy notes its life in events and keeps numbers in its value and in its connections.
func sleepy(events chan<- string) script {
	return script{
		start: func(_ context.Context, r *scripted) error { events <- "start"; return nil },
		tags: func(_ context.Context, _ *scripted, _ *party.Conn, req *http.Request) ([]string, error) {
			return req.URL.Query()["tag"], nil
		},
		connect: func(_ context.Context, r *scripted, c *party.Conn, req *http.Request) error {
			events <- fmt.Sprint("connect ", c.ID(), " ", c.Resumed(), " ", req.URL.Query().Get("tag"))
			return nil
		},
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			n, err := party.StateOf[int](c)
			if err != nil {
				return err
			}
			if err := c.SetState(n + 1); err != nil {
				return err
			}
			r.n++
			return c.Send(party.Text(fmt.Sprintf("value %d state %d tags %s of %s", r.n, n+1, strings.Join(c.Tags(), "+"), ids(r))))
		},
		close: func(_ context.Context, r *scripted, c *party.Conn, ev party.CloseEvent) {
			n, _ := party.StateOf[int](c)
			events <- fmt.Sprint("close ", c.ID(), " ", ev.Code, " ", n, " of ", ids(r))
		},
		request: func(r *scripted, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.n, " ", ids(r)) },
	}
}

func drain(events <-chan string) string {
	synctest.Wait()
	var all []string
	for {
		select {
		case e := <-events:
			all = append(all, e)
		default:
			return strings.Join(all, "; ")
		}
	}
}

func TestHibernation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 100)
		p := bubble(t, server.Rooms(sleepy(events).define("chat", party.AsHibernating())))
		step := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
		ask := func(c *reader) string {
			c.say(t, "x")
			synctest.Wait()
			return c.take()
		}
		a := p.mustDial("/party/x?_pk=a&tag=red")
		b := p.mustDial("/party/x?_pk=b")
		step("joining", drain(events), "start; connect a false red; connect b false ")
		step("first", ask(a), "value 1 state 1 tags a+red of a,b")
		step("second", ask(a), "value 2 state 2 tags a+red of a,b")
		time.Sleep(time.Minute)
		step("asleep", drain(events), "")
		step("woken by a message", ask(a), "value 1 state 3 tags a+red of a,b")
		step("woken by a message", drain(events), "start")
		time.Sleep(time.Minute)
		step("woken by a request", p.get("/party/x"), "0 a,b")
		time.Sleep(time.Minute)
		c := p.mustDial("/party/x?_pk=c")
		step("woken by a newcomer", drain(events), "start; start; connect c false ")
		time.Sleep(time.Minute)
		a.Close()
		step("woken by a close", drain(events), "start; close a 1006 3 of b,c")
		step("the others", ask(b), "value 1 state 1 tags b of b,c")
		time.Sleep(time.Minute)
		b.Close()
		step("another leaves", drain(events), "start; close b 1006 1 of c")
		c.Close()
		step("the last one leaves", drain(events), "close c 1006 0 of ")
	})
}

// TestBusyRoomsStay shows what keeps a hibernating room in memory.
func TestBusyRoomsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 100)
		s := sleepy(events)
		s.request = func(r *scripted, w http.ResponseWriter, req *http.Request) {
			r.n++
			switch req.URL.Query().Get("do") {
			case "await":
				r.Await(req.Context(), func(ctx context.Context) error { return pause(ctx, time.Hour) })
			case "after":
				r.After(time.Hour, func() {})
			}
			fmt.Fprint(w, r.n)
		}
		p := bubble(t, server.Rooms(s.define("chat", party.AsHibernating())))
		p.request("GET", "/party/x?do=await")
		p.request("GET", "/party/y?do=after")
		time.Sleep(30 * time.Minute)
		for _, room := range []string{"x", "y"} {
			if got := p.get("/party/" + room); got != "2" {
				t.Errorf("%s: got %s, want the same value", room, got)
			}
		}
		time.Sleep(2 * time.Hour)
		for _, room := range []string{"x", "y"} {
			if got := p.get("/party/" + room); got != "1" {
				t.Errorf("%s: got %s, want a fresh value", room, got)
			}
		}
	})
}

// TestWithoutHibernation keeps the value as long as a socket is open, and not longer.
func TestWithoutHibernation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 100)
		p := bubble(t, server.Rooms(sleepy(events).define("chat")))
		c := p.mustDial("/party/x?_pk=a")
		for n := 1; n < 4; n++ {
			c.say(t, "x")
			synctest.Wait()
			if got, want := c.take(), fmt.Sprintf("value %d state %d tags a of a", n, n); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			time.Sleep(time.Hour)
		}
		if got := drain(events); got != "start; connect a false " {
			t.Errorf("got %q", got)
		}
		c.Close()
		time.Sleep(time.Minute)
		if got := p.get("/party/x"); got != "0 " {
			t.Errorf("afterwards: got %q, want a fresh value", got)
		}
	})
}
