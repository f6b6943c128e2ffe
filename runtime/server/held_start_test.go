package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// unsteady is a room that cannot start while broken is set, and tells what it is given.
func unsteady(broken *atomic.Bool, events chan<- string) script {
	return script{
		start: func(context.Context, *scripted) error {
			if broken.Load() {
				events <- "no start"
				return errors.New("broken")
			}
			events <- "start"
			return nil
		},
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			events <- c.ID() + " " + msg.Text()
			if msg.Text() == "await" {
				return r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Second) })
			}
			return c.Send(party.Text("got " + msg.Text()))
		},
		close: func(_ context.Context, _ *scripted, c *party.Conn, ev party.CloseEvent) {
			events <- fmt.Sprint(c.ID(), " closed ", ev.Code)
		},
		request: func(r *scripted, w http.ResponseWriter, _ *http.Request) {
			events <- "request"
			fmt.Fprint(w, ids(r))
		},
	}
}

// asleep makes a hibernating room with the clients a and b, which has just been dropped from memory.
func asleep(t *testing.T, broken *atomic.Bool, events chan string) (p *pipes, a, b *reader) {
	p = bubble(t, server.Rooms(unsteady(broken, events).define("chat", party.AsHibernating())))
	a, b = p.mustDial("/party/x?_pk=a"), p.mustDial("/party/x?_pk=b")
	time.Sleep(time.Minute)
	drain(events)
	return p, a, b
}

// TestMessagesWaitForAStart loses no message to a failing OnStart: each is delivered, once and in order, when the room
// can start, without anything else happening to it.
func TestMessagesWaitForAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		events := make(chan string, 100)
		p, a, b := asleep(t, &broken, events)
		broken.Store(true)
		for _, text := range []string{"1", "2", "await", "3"} {
			a.say(t, text)
		}
		synctest.Wait()
		b.say(t, "bye")
		b.Close()
		if got := drain(events); got != "no start" {
			t.Errorf("at first: got %q, want one try", got)
		}
		time.Sleep(3 * time.Second)
		if got := drain(events); got != "no start; no start; no start" {
			t.Errorf("after 0.25, 0.75 and 1.75 s: got %q", got)
		}
		if r, ok := arrived(p.request("GET", "/party/x")); !ok || r.status != 500 {
			t.Errorf("a request, which does not wait: got %v, %v", r, ok)
		}
		drain(events)
		broken.Store(false)
		time.Sleep(2 * time.Second)
		if got, want := drain(events), "start; a 1; a 2; a await; a 3; b bye; b closed 1006"; got != want {
			// What follows an await may overtake it, as ever.
			t.Errorf("when it could start: got %q, want %q", got, want)
		}
		if got := a.take(); got != "got 1 got 2 got 3" {
			t.Errorf("a got %q", got)
		}
		if got := p.get("/party/x"); got != "a" {
			t.Errorf("listed: %q", got)
		}
	})
}

// TestTheNextEventStartsTheRoom gives what waited to the room before the event that has started it.
func TestTheNextEventStartsTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		events := make(chan string, 100)
		p, a, _ := asleep(t, &broken, events)
		broken.Store(true)
		a.say(t, "1")
		synctest.Wait()
		broken.Store(false)
		if got := p.get("/party/x"); got != "a,b" {
			t.Errorf("the request: got %q", got)
		}
		if got := drain(events); got != "no start; start; a 1; request" {
			t.Errorf("got %q", got)
		}
		time.Sleep(time.Minute)
		if got := drain(events); got != "" {
			t.Errorf("afterwards: %q", got)
		}
	})
}

// TestRoomThatDoesNotStart tells the senders of what waited too long by closing their connections, and nobody else.
func TestRoomThatDoesNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		events := make(chan string, 200)
		p, a, b := asleep(t, &broken, events)
		c := p.mustDial("/party/x?_pk=c")
		time.Sleep(time.Minute)
		broken.Store(true)
		a.say(t, "1")
		synctest.Wait()
		for range 64 { // more than a room keeps
			c.say(t, "1")
		}
		time.Sleep(time.Second)
		if got := c.closeCode(); got != 1011 {
			t.Errorf("the one that said too much: closed with %d, want 1011", got)
		}
		time.Sleep(time.Minute)
		if got := a.closeCode(); got != 0 {
			t.Errorf("after a minute: closed with %d", got)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := a.closeCode(); got != 1011 {
			t.Errorf("after more than a minute: closed with %d, want 1011", got)
		}
		if got := strings.Count(drain(events), "no start"); got > 15 {
			t.Errorf("OnStart was tried %d times", got)
		}
		broken.Store(false)
		b.say(t, "2")
		time.Sleep(time.Second)
		if got := b.take(); got != "got 2" {
			t.Errorf("the one that stays: got %q", got)
		}
		if got := drain(events); strings.Contains(got, "a 1") || !strings.Contains(got, "start; b 2") {
			t.Errorf("got %q", got)
		}
	})
}

// TestMessageWaitsForBetterCode gives what the old code could not take to the new one.
func TestMessageWaitsForBetterCode(t *testing.T) {
	var broken, fixed atomic.Bool
	events, better := make(chan string, 100), make(chan string, 100)
	p, hs := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{}, unsteady(&fixed, events).define("chat")))
	c := dial(t, hs, "/party/x?_pk=a")
	c.say("1")
	c.want("got 1")
	broken.Store(true)
	within(t, p.SetHost(host(t, party.HostOptions{}, unsteady(&broken, events).define("chat"))), "the hand-over to code that cannot start")
	c.say("2")
	for _, want := range []string{"start", "a 1", "no start", "no start"} { // the second one for the message
		if got := within(t, events, want); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	within(t, p.SetHost(host(t, party.HostOptions{}, unsteady(&fixed, better).define("chat"))), "the hand-over to code that can")
	c.want("got 2")
	c.say("3")
	c.want("got 3")
	for _, want := range []string{"start", "a 2", "a 3"} {
		if got := within(t, better, want); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
