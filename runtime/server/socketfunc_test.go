package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// serveSocket is a //party:socket function that does what it is told.
func serveSocket(ended chan<- error) func(context.Context, *party.Conn, *http.Request, *party.Lobby) error {
	return func(ctx context.Context, c *party.Conn, r *http.Request, lobby *party.Lobby) (err error) {
		defer func() { ended <- err }()
		if err := c.Send(party.Text("hello " + c.ID() + " at " + r.URL.Path)); err != nil {
			return err
		}
		for {
			msg, err := c.Receive(ctx)
			if err != nil {
				return err
			}
			switch msg.Text() {
			case "return":
				return nil
			case "error":
				return errors.New("secret")
			case "close error":
				return &party.CloseError{Code: 4004, Reason: "because"}
			case "panic":
				panic("secret")
			case "room":
				in, _ := http.NewRequest("GET", "/", nil)
				resp, err := lobby.Party("chat").Get("x").Fetch(ctx, in)
				if err != nil {
					return err
				}
				body, err := io.ReadAll(resp.Body)
				if err := errors.Join(err, resp.Body.Close(), c.Send(party.Text(string(body)))); err != nil {
					return err
				}
			default:
				if err := c.Send(msg); err != nil {
					return err
				}
			}
		}
	}
}

func TestSocketFunction(t *testing.T) {
	ended := make(chan error, 10)
	hs := start(t, quiet(), server.App(&party.App{
		Rooms:  []party.Definition{script{request: say("from the room"), message: echo}.define("chat")},
		Socket: serveSocket(ended),
	}))
	c := dial(t, hs, "/anywhere?_pk=ada")
	c.want("hello ada at /anywhere")
	for n := range 100 { // more than its inbox holds
		c.say(fmt.Sprint(n))
	}
	c.say("room")
	for n := range 100 {
		c.want(fmt.Sprint(n))
	}
	c.want("from the room")
	c.leave(4001, "bye")
	if err := within(t, ended, "the function"); !errors.Is(err, party.ErrClosed) {
		t.Errorf("Receive: got %v, want ErrClosed", err)
	}
	for _, test := range []struct {
		say    string
		code   int
		reason string
	}{{"return", 1000, ""}, {"error", 1011, "internal error"}, {"close error", 4004, "because"}, {"panic", 1011, "internal error"}} {
		c := dial(t, hs, "/")
		if _, _, err := c.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		c.say(test.say)
		c.wantClose(test.code, test.reason)
		within(t, ended, "the function")
	}
	room := dial(t, hs, "/party/x") // rooms come first
	room.say("x")
	room.want("x")
	if got := refused(t, hs, "/", "Origin", "https://other.example", "Cookie", "a=1"); got.status != 403 {
		t.Errorf("foreign origin with a cookie: got %d", got.status)
	}
	visit(t, hs.URL+"/").check(t, 404, "Not found\n")
}

// TestSocketFunctionsTalkToRooms calls rooms while messages come in, which are turns of the socket's own.
func TestSocketFunctionsTalkToRooms(t *testing.T) {
	ended := make(chan error, 1)
	hs := start(t, quiet(), server.App(&party.App{
		Rooms:  []party.Definition{script{request: say("from the room")}.define("chat")},
		Socket: serveSocket(ended),
	}))
	c := dial(t, hs, "/")
	go func() {
		for range 200 {
			c.WriteMessage(1, []byte("room"))
		}
		c.WriteMessage(1, []byte("return"))
	}()
	if _, _, err := c.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		c.want("from the room")
	}
	c.wantClose(1000, "")
	if err := within(t, ended, "the function"); err != nil {
		t.Error(err)
	}
}

// TestSocketFunctionHandOver gives an open socket to the function of the new code.
func TestSocketFunctionHandOver(t *testing.T) {
	p, hs := serve(t, platform.Options{})
	newHost := func(gen int) chan error {
		ended := make(chan error, 10)
		h, err := party.NewHost(&party.App{
			Rooms: []party.Definition{script{}.define("chat")},
			Socket: func(ctx context.Context, c *party.Conn, r *http.Request, lobby *party.Lobby) error {
				c.Send(party.Text(fmt.Sprint(gen, " ", c.Resumed(), " ", r.URL.Path)))
				_, err := c.Receive(ctx)
				ended <- err
				return err
			},
		}, party.HostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		within(t, p.SetHost(h), "the hand-over")
		return ended
	}
	first := newHost(1)
	c := dial(t, hs, "/here")
	c.want("1 false /here")
	newHost(2)
	c.want("2 true /here")
	if err := within(t, first, "the old function"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReceiveInRooms(t *testing.T) {
	hs := start(t, server.Rooms(script{connect: func(ctx context.Context, _ *scripted, c *party.Conn, _ *http.Request) error {
		if _, err := c.Receive(ctx); err == nil {
			t.Error("no error")
		}
		return nil
	}}.define("chat")))
	dial(t, hs, "/party/x")
}
