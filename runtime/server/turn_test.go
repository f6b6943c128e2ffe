package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestTurnsNeverOverlap lets every way into a room change a plain int at once. The
// race detector and the sum tell whether two turns ever ran together.
func TestTurnsNeverOverlap(t *testing.T) {
	const clients, each = 12, 60
	ticked := make(chan struct{})
	var once sync.Once
	s := script{
		start: func(_ context.Context, r *scripted) error {
			r.Every(time.Millisecond, func() {
				r.n++
				r.n--
				once.Do(func() { close(ticked) })
			})
			return nil
		},
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			if msg.Text() == "await" {
				r.n++
				return errors.Join(r.Await(ctx, func(context.Context) error { return nil }), c.Send(msg))
			}
			r.n++
			return c.Send(msg)
		},
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			if req.Method == "POST" {
				r.n++
			}
			fmt.Fprint(w, r.n)
		},
	}
	hs := start(t, server.Rooms(s.define("chat")))
	var wg sync.WaitGroup
	for n := range clients {
		c := dial(t, hs, "/party/x")
		wg.Go(func() {
			for m := range each {
				switch {
				case n%3 == 0 && m%10 == 0:
					fetch(t, "POST", hs.URL+"/party/x", "")
				case n%3 == 1:
					c.say("await")
					c.want("await")
				default:
					c.say("x")
					c.want("x")
				}
			}
		})
	}
	wg.Wait()
	within(t, ticked, "the timer")
	visit(t, hs.URL+"/party/x").check(t, 200, fmt.Sprint(clients*each))
}

// TestOrderPerConnection sends without waiting for answers, with awaits now and then.
func TestOrderPerConnection(t *testing.T) {
	const clients, each = 6, 300
	s := script{message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
		if err := c.Send(msg); err != nil {
			return err
		}
		if strings.HasSuffix(msg.Text(), "7") {
			return r.Await(ctx, func(context.Context) error { return nil })
		}
		return nil
	}}
	hs := start(t, server.Rooms(s.define("chat")))
	var wg sync.WaitGroup
	for range clients {
		c := dial(t, hs, "/party/x")
		wg.Go(func() {
			for n := range each {
				c.say(fmt.Sprint(n))
			}
		})
		wg.Go(func() {
			for n := range each {
				c.want(fmt.Sprint(n))
			}
		})
	}
	wg.Wait()
}

// TestAwaitGivesTheTurnUp lets other messages through meanwhile, of the same connection too.
func TestAwaitGivesTheTurnUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			if msg.Text() == "wait" {
				c.Send(party.Text("before"))
				r.n = 1
				if err := r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Minute) }); err != nil {
					return err
				}
				return c.Send(party.Text(fmt.Sprint("after ", r.n)))
			}
			r.n++
			return c.Send(msg)
		}}
		p := bubble(t, server.Rooms(s.define("chat")))
		a, b := p.mustDial("/party/x"), p.mustDial("/party/x")
		a.say(t, "wait")
		synctest.Wait()
		a.say(t, "same")
		b.say(t, "other")
		synctest.Wait()
		if got := a.take() + "|" + b.take(); got != "before same|other" {
			t.Errorf("during the await: got %q", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := a.take(); got != "after 3" {
			t.Errorf("after the await: got %q", got)
		}
	})
}

// TestAwaitInConnect holds the 101 back.
func TestAwaitInConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{connect: func(ctx context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
			c.Send(party.Text("early"))
			return r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Minute) })
		}}
		p := bubble(t, server.Rooms(s.define("chat")))
		began := time.Now()
		c := p.mustDial("/party/x")
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("let in after %v, want 1m", waited)
		}
		synctest.Wait()
		if got := c.take(); got != "early" {
			t.Errorf("got %q", got)
		}
	})
}

// TestAwaitInStart keeps the turn: nothing is delivered before OnStart is done.
func TestAwaitInStart(t *testing.T) {
	starting, free := make(chan struct{}), make(chan struct{})
	s := script{
		start: func(ctx context.Context, r *scripted) error {
			close(starting)
			err := r.Await(ctx, func(context.Context) error { <-free; return nil })
			r.n = 42
			return err
		},
		request: func(r *scripted, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.n) },
	}
	hs := start(t, server.Rooms(s.define("chat")))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { visit(t, hs.URL+"/party/x").check(t, 200, "42") })
	}
	within(t, starting, "OnStart")
	close(free)
	wg.Wait()
}

// TestStartOnce sends first events of many kinds at once.
func TestStartOnce(t *testing.T) {
	starts := make(chan int, 100)
	s := script{
		start: func(context.Context, *scripted) error { starts <- 1; return nil },
		connect: func(_ context.Context, _ *scripted, c *party.Conn, _ *http.Request) error {
			return c.Send(party.Text("hi"))
		},
		request: say("ok"),
	}
	hs := start(t, server.Rooms(s.define("chat")))
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			if n%2 == 0 {
				visit(t, hs.URL+"/party/x").check(t, 200, "ok")
			} else {
				dial(t, hs, "/party/x").want("hi")
			}
		})
	}
	wg.Wait()
	if len(starts) != 1 {
		t.Errorf("OnStart ran %d times", len(starts))
	}
}

// TestStartFails answers who waited with an error, undoes what OnStart had done, and tries again with a fresh value.
func TestStartFails(t *testing.T) {
	tries := 0
	told := make(chan string, 10)
	s := script{
		start: func(ctx context.Context, r *scripted) error {
			tries++
			r.n++
			r.Broadcast(party.Text("must not be sent"))
			if ok, _ := r.Storage().Get(ctx, "k", new(int)); ok {
				t.Error("a failed start has left something in storage")
			}
			r.Storage().Put(ctx, "k", tries)
			r.SetAlarm(time.Now().Add(time.Hour))
			r.Every(time.Millisecond, func() { t.Error("the timer of a failed start runs") })
			switch tries {
			case 1:
				return errors.New("not yet")
			case 2:
				panic("still not")
			}
			for range 2 {
				r.Storage().DeleteAll(ctx)
			}
			return r.DeleteAlarm()
		},
		request: func(r *scripted, w http.ResponseWriter, _ *http.Request) {
			_, alarm := r.Alarm()
			fmt.Fprint(w, r.n, " ", alarm)
		},
		exception: func(_ context.Context, _ *scripted, err error) { told <- err.Error() },
	}
	s0 := s.start
	s.start = func(ctx context.Context, r *scripted) error {
		if tries >= 2 {
			tries++
			r.n++
			if ok, _ := r.Storage().Get(ctx, "k", new(int)); ok {
				t.Error("a failed start has left something in storage")
			}
			if _, ok := r.Alarm(); ok {
				t.Error("a failed start has left its alarm")
			}
			return nil
		}
		return s0(ctx, r)
	}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/x").check(t, 500, "the room could not start\n")
	refused(t, hs, "/party/x").check(t, 500, "the room could not start\n")
	visit(t, hs.URL+"/party/x").check(t, 200, "1 false")
	for _, want := range []string{"not yet", "panic: still not"} {
		if got := within(t, told, "OnException"); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

// TestDo enters turns from goroutines.
func TestDo(t *testing.T) {
	rooms := make(chan *scripted, 1)
	hs := start(t, quiet(), server.Rooms(script{
		start:   func(_ context.Context, r *scripted) error { rooms <- r; return nil },
		request: func(r *scripted, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.n) },
	}.define("chat")))
	visit(t, hs.URL+"/party/x").check(t, 200, "0")
	r := <-rooms
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := r.Do(func() { r.n++ }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var pe *party.PanicError
	if err := r.Do(func() { panic("boom") }); !errors.As(err, &pe) || pe.Value != "boom" {
		t.Errorf("panic: got %v", err)
	}
	visit(t, hs.URL+"/party/x").check(t, 200, "50")
}

// TestTimers runs After and Every on a clock of its own.
func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{
			message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
				switch msg.Text() {
				case "after":
					r.After(time.Minute, func() { c.Send(party.Text("after")) })
				case "stopped":
					r.After(time.Minute, func() { c.Send(party.Text("stopped")) }).Stop()
				case "every":
					var tick *party.Timer
					tick = r.Every(time.Second, func() {
						if r.n++; r.n == 3 {
							tick.Stop()
						}
						c.Send(party.Text(fmt.Sprint("tick", r.n)))
					})
				case "panics":
					r.After(time.Second, func() { panic("boom") })
				}
				return nil
			},
			exception: func(_ context.Context, r *scripted, err error) { r.Broadcast(party.Text(err.Error())) },
		}
		p := bubble(t, server.Rooms(s.define("chat")))
		c := p.mustDial("/party/x")
		for _, say := range []string{"after", "stopped", "every"} {
			c.say(t, say)
		}
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{1500 * time.Millisecond, "tick1"}, {time.Second, "tick2"}, {10 * time.Second, "tick3"}, {time.Minute, "after"}, {time.Hour, ""}} {
			time.Sleep(step.wait)
			synctest.Wait()
			if got := c.take(); got != step.want {
				t.Errorf("after %v more: got %q, want %q", step.wait, got, step.want)
			}
		}
		c.say(t, "panics")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := c.take(); got != "panic: boom" {
			t.Errorf("OnException: got %q", got)
		}
	})
}
