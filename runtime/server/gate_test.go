package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// gated is a room whose messages say what to do, one word after the other.
var gated = script{
	connect: func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) error {
		if req.URL.Query().Has("write") {
			return errors.Join(r.Storage().Put(ctx, "connected", c.ID()), c.Send(party.Text("hello")))
		}
		return nil
	},
	message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
		for word := range strings.FieldsSeq(msg.Text()) {
			var err error
			switch verb, arg, _ := strings.Cut(word, ":"); verb {
			case "write":
				r.n++
				err = r.Storage().Put(ctx, "n", r.n)
			case "loose":
				err = r.Storage().Put(ctx, "loose", arg, party.Unconfirmed())
			case "send":
				err = c.Send(party.Text(arg))
			case "all":
				err = r.Broadcast(party.Text(arg))
			case "volatile":
				err = c.Send(party.Text(arg), party.Volatile())
			case "close":
				err = c.Close(4000, arg)
			case "await":
				err = r.Await(ctx, func(context.Context) error { return nil })
				if err != nil {
					err = c.Send(party.Text("await: " + err.Error()))
				}
			case "sync":
				err = r.Storage().Sync(ctx)
			case "state":
				err = c.SetState(arg)
			case "panic":
				panic("boom")
			case "n":
				n, _, _ := party.Get[int](ctx, r.Storage(), "n")
				err = c.Send(party.Text(fmt.Sprint("n", n, ",", r.n)))
			}
			if err != nil {
				return err
			}
		}
		return nil
	},
	request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if req.Method == "POST" {
			r.n++
			r.Storage().Put(req.Context(), "n", r.n)
		}
		n, _, _ := party.Get[int](req.Context(), r.Storage(), "n")
		fmt.Fprint(w, n)
	},
}

func inGate(t *testing.T, fn func(t *testing.T, s *heldStore, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		s := newHeldStore()
		p := bubble(t, server.Store(s), server.Rooms(gated.define("chat")))
		fn(t, s, p)
	})
}

// TestGateHoldsFrames shows that nothing leaves before its commit and those before it, and in which order it does then.
func TestGateHoldsFrames(t *testing.T) {
	for _, test := range []struct {
		name     string
		say      []string // each its own turn
		at, then string   // what a has got while commits are held, and afterwards
		other    string   // what b has got in the end
	}{
		{"a turn that writes", []string{"write send:x all:y"}, "", "x y", "y"},
		{"sent before the write", []string{"send:x write"}, "", "x", ""},
		{"a turn that does not write waits for one that does", []string{"write send:1", "send:2 all:b", "write send:3", "all:4"}, "", "1 2 b 3 4", "b 4"},
		{"a turn before the write does not wait", []string{"send:1", "write send:2"}, "1", "2", ""},
		{"volatile overtakes", []string{"write send:1 volatile:v send:2", "volatile:w"}, "v w", "1 2", ""},
		{"a write that is undone holds nothing", []string{"write send:1 panic", "send:2"}, "2", "", ""},
		{"an await waits for what the turn wrote", []string{"write send:1 await send:2"}, "", "1 2", ""},
		{"sync ends the commit", []string{"write send:1 sync send:2"}, "", "1 2", ""},
		{"unconfirmed writes hold nothing", []string{"loose:x send:1"}, "1", "", ""},
		{"unconfirmed writes wait behind others", []string{"write send:1", "loose:x send:2"}, "", "1 2", ""},
		{"one confirmed write confirms the turn", []string{"loose:x write send:1"}, "", "1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
				a, b := p.mustDial("/party/x?_pk=a"), p.mustDial("/party/x?_pk=b")
				s.hold()
				for _, say := range test.say {
					a.say(t, say)
				}
				synctest.Wait()
				if got := a.take(); got != test.at {
					t.Errorf("while commits are held: got %q, want %q", got, test.at)
				}
				s.release()
				synctest.Wait()
				if got := a.take(); got != test.then {
					t.Errorf("then: got %q, want %q", got, test.then)
				}
				if got := b.take(); got != test.other {
					t.Errorf("the other one: got %q, want %q", got, test.other)
				}
			})
		})
	}
}

// TestGateHoldsAnswers is about what is not a frame: responses, the 101, close.
func TestGateHoldsAnswers(t *testing.T) {
	t.Run("response", func(t *testing.T) {
		inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
			s.hold()
			post := p.request("POST", "/party/x")
			synctest.Wait()
			get := p.request("GET", "/party/x") // a later turn sees the write, and waits for it
			other := p.request("GET", "/party/y")
			if a, ok := arrived(other); !ok || a.body != "0" {
				t.Errorf("another room: got %v, %v", a, ok)
			}
			if a, ok := arrived(post); ok {
				t.Errorf("answered %v before the commit", a)
			}
			if a, ok := arrived(get); ok {
				t.Errorf("answered %v before the commit", a)
			}
			s.release()
			for _, c := range []<-chan answer{post, get} {
				if a, ok := arrived(c); !ok || a.body != "1" {
					t.Errorf("after the commit: got %v, %v", a, ok)
				}
			}
		})
	})
	t.Run("101", func(t *testing.T) {
		inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
			s.hold()
			in := make(chan *reader, 1)
			go func() { in <- p.mustDial("/party/x?write") }()
			if _, ok := arrived(in); ok {
				t.Error("let in before the commit")
			}
			s.release()
			c, ok := arrived(in)
			if !ok {
				t.Fatal("not let in after the commit")
			}
			synctest.Wait()
			if got := c.take(); got != "hello" {
				t.Errorf("got %q", got)
			}
		})
	})
	t.Run("close", func(t *testing.T) {
		inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
			c := p.mustDial("/party/x")
			s.hold()
			c.say(t, "write send:last close:bye")
			if _, ok := arrived(c.ended); ok || c.take() != "" {
				t.Error("closed before the commit")
			}
			s.release()
			if _, ok := arrived(c.ended); !ok || c.take() != "last" || c.closeCode() != 4000 {
				t.Errorf("after the commit: %v, code %d", ok, c.closeCode())
			}
		})
	})
}

// TestOneCommitPerTurn counts what the store is given.
func TestOneCommitPerTurn(t *testing.T) {
	inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
		c := p.mustDial("/party/x")
		s.hold()
		for _, test := range []struct {
			say     string
			commits int
		}{{"write write write", 1}, {"send:x", 0}, {"write panic", 0}} {
			s.mu.Lock()
			before := len(s.outcomes)
			s.mu.Unlock()
			c.say(t, test.say)
			synctest.Wait()
			s.mu.Lock()
			if got := len(s.outcomes) - before; got != test.commits {
				t.Errorf("%s: got %d commits, want %d", test.say, got, test.commits)
			}
			s.mu.Unlock()
		}
		s.release()
	})
}

// TestCommitFails resets the room: who was owed something is told, and the next event finds what is on disk.
func TestCommitFails(t *testing.T) {
	inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
		p.t = t
		bystander := p.mustDial("/party/x?_pk=bystander")
		asker := p.mustDial("/party/x?_pk=asker")
		asker.say(t, "write send:1")
		synctest.Wait()
		if got := asker.take(); got != "1" {
			t.Fatalf("got %q", got)
		}
		s.hold()
		s.fail(errors.New("disk full"))
		asker.say(t, "write send:2")
		synctest.Wait()
		post := p.request("POST", "/party/x")
		synctest.Wait()
		in := make(chan error, 1)
		go func() {
			_, err := p.dial("/party/x?write")
			in <- err
		}()
		synctest.Wait()
		get := p.request("GET", "/party/x")
		synctest.Wait()
		s.fail(nil)
		s.release()
		for name, c := range map[string]<-chan answer{"POST": post, "GET": get} {
			if a, ok := arrived(c); !ok || a.status != 500 {
				t.Errorf("%s: got %v, %v, want 500", name, a, ok)
			}
		}
		if err, ok := arrived(in); !ok || err == nil {
			t.Errorf("upgrade: got %v, %v, want a refusal", err, ok)
		}
		if _, ok := arrived(asker.ended); !ok || asker.closeCode() != 1011 || asker.take() != "" {
			t.Errorf("who was owed a frame: %v, code %d, want close 1011", ok, asker.closeCode())
		}
		bystander.say(t, "n")
		synctest.Wait()
		if got := bystander.take(); got != "n1,0" {
			t.Errorf("the room afterwards: got %q, want what was on disk, and a fresh value", got)
		}
		bystander.say(t, "write send:works")
		synctest.Wait()
		if got := bystander.take(); got != "works" {
			t.Errorf("the room afterwards: got %q", got)
		}
	})
}

// TestCommitFailsDuringATurn resets the room under a turn that is in an await, and one that begins meanwhile.
func TestCommitFailsDuringATurn(t *testing.T) {
	inGate(t, func(t *testing.T, s *heldStore, p *pipes) {
		p.t = t
		waiter, other := p.mustDial("/party/x?_pk=waiter"), p.mustDial("/party/x?_pk=other")
		s.hold()
		s.fail(errors.New("disk full"))
		waiter.say(t, "write await send:after")
		synctest.Wait()
		get := p.request("GET", "/party/x") // its answer waits in the gate
		synctest.Wait()
		s.fail(nil)
		s.release()
		if a, ok := arrived(get); !ok || a.status != 500 {
			t.Errorf("GET: got %v, %v, want 500", a, ok)
		}
		synctest.Wait()
		other.say(t, "n send:next")
		synctest.Wait()
		if got := other.take(); got != "n0,0 next" {
			t.Errorf("afterwards: got %q", got)
		}
		// What the waiter sends after its failed await is owed and does not happen.
		if waiter.take() != "" || waiter.closeCode() != 1011 {
			t.Errorf("the waiter: close code %d", waiter.closeCode())
		}
	})
}

// TestDurableAfterCommit shows what a second server finds.
func TestDurableAfterCommit(t *testing.T) {
	dir := t.TempDir()
	for n := range 3 {
		s, err := server.New(quiet(), server.Data(dir), server.Rooms(gated.define("chat")))
		if err != nil {
			t.Fatal(err)
		}
		hs := serveOnce(t, s)
		visit(t, hs.URL+"/party/x").check(t, 200, fmt.Sprint(min(n, 1)))
		fetch(t, "POST", hs.URL+"/party/x", "").check(t, 200, "1")
		hs.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
