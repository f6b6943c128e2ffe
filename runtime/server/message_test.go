package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// failing fails as its messages say.
func failing(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
	c.Send(party.Text("got " + msg.Text()))
	switch msg.Text() {
	case "error":
		return errors.New("an error")
	case "panic":
		r.Storage().Put(context.Background(), "written", true)
		panic("a panic")
	case "panic error":
		panic(fmt.Errorf("wrapped: %w", errInside))
	}
	return nil
}

var errInside = errors.New("inside")

// TestErrorInMessage shows who is told: OnError, else OnException. The socket stays
// open; what a panic interrupted is not sent, what an error ends is.
func TestErrorInMessage(t *testing.T) {
	told := make(chan string, 10)
	onError := func(_ context.Context, _ *scripted, c *party.Conn, err error) {
		told <- fmt.Sprintf("OnError %s: %v", c.ID(), err)
	}
	onException := func(_ context.Context, _ *scripted, err error) { told <- "OnException: " + err.Error() }
	for _, test := range []struct {
		name   string
		script script
		want   map[string]string
	}{
		{"both", script{message: failing, fault: onError, exception: onException}, map[string]string{
			"error": "OnError ada: an error", "panic": "OnError ada: panic: a panic", "panic error": "OnError ada: panic: wrapped: inside",
		}},
		{"OnException only", script{message: failing, exception: onException}, map[string]string{
			"error": "OnException: an error", "panic": "OnException: panic: a panic",
		}},
		{"a panic in OnError", script{message: failing, exception: onException,
			fault: func(context.Context, *scripted, *party.Conn, error) { panic("again") },
		}, map[string]string{"error": "OnException: panic: again"}},
		{"a panic in OnException", script{message: failing,
			exception: func(_ context.Context, _ *scripted, err error) { told <- err.Error(); panic("again") },
		}, map[string]string{"error": "an error"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			hs := start(t, quiet(), server.Rooms(test.script.define("chat")))
			c := dial(t, hs, "/party/x?_pk=ada")
			for say, want := range test.want {
				c.say(say)
				if got := within(t, told, "who is told"); got != want {
					t.Errorf("%s: told %q, want %q", say, got, want)
				}
				if !strings.HasPrefix(say, "panic") {
					c.want("got " + say)
				}
				c.say("next")
				c.want("got next")
			}
		})
	}
	t.Run("neither", func(t *testing.T) {
		var log logged
		hs := start(t, log.option(), server.Rooms(script{message: failing}.define("chat")))
		c := dial(t, hs, "/party/x?_pk=ada")
		c.say("panic")
		c.say("next")
		c.want("got next")
		for _, part := range []string{"a panic", "message_test.go", "party=chat", "room=x"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("the log has no %q: %s", part, log.String())
			}
		}
	})
}

// TestPanicUndoesTheTurn shows that a panic drops what was written and sent.
func TestPanicUndoesTheTurn(t *testing.T) {
	s := script{
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			switch msg.Text() {
			case "keep":
				return r.Storage().Put(ctx, "k", "kept")
			case "panic":
				r.Storage().Put(ctx, "k", "lost")
				r.Storage().DeleteAll(ctx)
				r.Storage().Put(ctx, "other", "lost")
				r.Broadcast(party.Text("lost"))
				c.Send(party.Text("lost"))
				panic("boom")
			case "await":
				r.Storage().Put(ctx, "k", "kept before the await")
				c.Send(party.Text("kept"))
				r.Await(ctx, func(context.Context) error { return nil })
				r.Storage().Put(ctx, "k", "lost")
				c.Send(party.Text("lost"))
				panic("boom")
			case "await panic":
				r.Storage().Put(ctx, "k", "kept before the panic")
				r.Await(ctx, func(context.Context) error { panic("inside") })
				return nil
			}
			entries, err := r.Storage().List(ctx, party.ListOptions{})
			if err != nil {
				return err
			}
			var all []string
			for _, e := range entries {
				var v string
				if err := e.Decode(&v); err != nil {
					return err
				}
				all = append(all, e.Key+"="+v)
			}
			return c.Send(party.Text(strings.Join(all, ",")))
		},
	}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	c := dial(t, hs, "/party/x")
	for _, step := range []struct{ say, want string }{
		{"keep", ""}, {"list", "k=kept"},
		{"panic", ""}, {"list", "k=kept"},
		{"await", "kept"}, {"list", "k=kept before the await"},
		{"await panic", ""}, {"list", "k=kept before the panic"},
	} {
		c.say(step.say)
		if step.want != "" {
			c.want(step.want)
		}
	}
}

// TestErrorInClose shows that OnClose's panics are told like those of OnMessage.
func TestErrorInClose(t *testing.T) {
	told := make(chan string, 10)
	hs := start(t, quiet(), server.Rooms(script{
		close: func(context.Context, *scripted, *party.Conn, party.CloseEvent) { panic("boom") },
		fault: func(_ context.Context, _ *scripted, c *party.Conn, err error) {
			told <- fmt.Sprint(c.ID(), " ", err, " ", errors.Is(c.Send(party.Text("x")), party.ErrClosed))
		},
	}.define("chat")))
	dial(t, hs, "/party/x?_pk=ada").leave(1000, "")
	if got := within(t, told, "OnError"); got != "ada panic: boom true" {
		t.Errorf("told %q", got)
	}
}

// TestMessageKinds shows that text stays text, binary stays binary, and empty stays empty.
func TestMessageKinds(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	c := dial(t, hs, "/party/x")
	for _, kind := range []int{1, 2} {
		for _, text := range []string{"", "x", strings.Repeat("y", 125), strings.Repeat("y", 126), strings.Repeat("y", 65535), strings.Repeat("y", 65536), "ünï"} {
			if err := c.WriteMessage(kind, []byte(text)); err != nil {
				t.Fatal(err)
			}
			gotKind, got, err := c.ReadMessage()
			if gotKind != kind || string(got) != text || err != nil {
				t.Errorf("kind %d, %d bytes: got kind %d, %d bytes, %v", kind, len(text), gotKind, len(got), err)
			}
		}
	}
}

// TestUnencodableMessage shows that sending what JSON cannot express is an error of the sender.
func TestUnencodableMessage(t *testing.T) {
	hs := start(t, server.Rooms(script{message: func(_ context.Context, r *scripted, c *party.Conn, _ party.Message) error {
		if c.Send(party.JSON(func() {})) == nil || r.Broadcast(party.JSON(make(chan int))) == nil {
			t.Error("no error")
		}
		return c.Send(party.JSON(map[string]int{"n": 1}))
	}}.define("chat")))
	c := dial(t, hs, "/party/x")
	c.say("x")
	c.want(`{"n":1}`)
}
