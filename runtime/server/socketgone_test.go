package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestSocketFunctionThatDoesNotReceive shows that a function learns of its client's end by its context, and gets
// what the client had said before.
func TestSocketFunctionThatDoesNotReceive(t *testing.T) {
	ended := make(chan string, 10)
	fn := func(ctx context.Context, c *party.Conn, _ *http.Request, _ *party.Lobby) error {
		<-ctx.Done()
		received := 0
		for {
			if _, err := c.Receive(ctx); err != nil {
				ended <- fmt.Sprint(received, " ", errors.Is(err, party.ErrClosed), " ", errors.Is(c.Send(party.Text("x")), party.ErrClosed))
				return ctx.Err()
			}
			received++
		}
	}
	var log logged
	app := &party.App{Rooms: []party.Definition{script{}.define("chat")}, Socket: fn}
	t.Run("the client leaves", func(t *testing.T) {
		hs := start(t, log.option(), server.App(app))
		c := dial(t, hs, "/")
		for n := range 100 {
			c.say(fmt.Sprint(n))
		}
		c.leave(1000, "")
		if got := within(t, ended, "the function"); got != "100 true true" {
			t.Errorf("got %s", got)
		}
		if log.String() != "" {
			t.Errorf("logged: %s", log.String())
		}
	})
	t.Run("the client falls silent while it is held back", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := bubble(t, server.App(app))
			d := websocket.Dialer{NetDialContext: p.Dial}
			c, _, err := d.Dial("ws://pipes/", nil) // which never reads, so it answers no ping
			if err != nil {
				t.Fatal(err)
			}
			written := make(chan int, 1)
			go func() {
				n := 0
				for c.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 64<<10))) == nil {
					n++
				}
				written <- n
			}()
			time.Sleep(2*time.Minute + time.Second)
			synctest.Wait()
			got, ok := arrived(ended)
			if !ok {
				t.Error("the function has not learned of it")
			}
			c.Close()
			n := <-written
			if n > 20 {
				t.Errorf("%d messages of 64 KiB were taken of a client whose function takes none", n)
			}
			if want := fmt.Sprint(n-1, " true true"); ok && got != want && got != fmt.Sprint(n, " true true") {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	})
}

// TestSocketFunctionHoldsItsClientBack takes all that was said, in order, from a client that says more than may wait.
func TestSocketFunctionHoldsItsClientBack(t *testing.T) {
	const messages = 80
	receive := make(chan struct{})
	ended := make(chan error, 1)
	hs := start(t, server.App(&party.App{
		Rooms: []party.Definition{script{}.define("chat")},
		Socket: func(ctx context.Context, c *party.Conn, _ *http.Request, _ *party.Lobby) error {
			<-receive
			for n := range messages {
				m, err := c.Receive(ctx)
				if err != nil || !strings.HasPrefix(m.Text(), fmt.Sprintf("%03d", n)) {
					ended <- fmt.Errorf("message %d: got %.3q, %v", n, m.Text(), err)
					return nil
				}
			}
			ended <- nil
			return nil
		},
	}))
	c := dial(t, hs, "/")
	go func() {
		for n := range messages {
			if c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "%03d%s", n, strings.Repeat("x", 64<<10))) != nil {
				return
			}
			if n == 17 { // more than may wait
				close(receive)
			}
		}
	}()
	if err := within(t, ended, "the function"); err != nil {
		t.Error(err)
	}
}
