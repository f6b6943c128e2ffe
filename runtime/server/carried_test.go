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

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// kinds are the two kinds of rooms: what a connection carries is the same in both.
var kinds = map[string][]party.DefineOption{"in memory": nil, "hibernating": {party.AsHibernating()}}

// TestStateOfANewConnection shows that ConnectionTags may set the state, and that a client that comes back has none.
func TestStateOfANewConnection(t *testing.T) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script{
					tags: func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) ([]string, error) {
						err := r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Second) })
						if as := req.URL.Query().Get("as"); as != "" {
							err = errors.Join(err, c.SetState(as))
						}
						return []string{"guest"}, err
					},
					connect: func(_ context.Context, _ *scripted, c *party.Conn, _ *http.Request) error {
						as, err := party.StateOf[string](c)
						return errors.Join(err, c.Send(party.Text(fmt.Sprint("in OnConnect:", as, c.Tags()))))
					},
					message: func(_ context.Context, _ *scripted, c *party.Conn, _ party.Message) error {
						as, err := party.StateOf[string](c)
						return errors.Join(err, c.Send(party.Text(fmt.Sprint(as, c.Tags()))))
					},
				}
				p := bubble(t, server.Rooms(s.define("chat", opts...)))
				a := p.mustDial("/party/x?_pk=a&as=admin")
				time.Sleep(time.Minute) // and a hibernating room sleeps
				a.say(t, "who am I")
				synctest.Wait()
				if got := a.take(); got != "in OnConnect:admin[a guest] admin[a guest]" {
					t.Errorf("got %q", got)
				}
				a.Close()
				again := p.mustDial("/party/x?_pk=a")
				again.say(t, "who am I")
				synctest.Wait()
				if got := again.take(); got != "in OnConnect:[a guest] [a guest]" {
					t.Errorf("the same client again: got %q", got)
				}
			})
		})
	}
}

// TestStateLimit is the same for both kinds of rooms, and what did not fit leaves what was there.
func TestStateLimit(t *testing.T) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script{message: func(_ context.Context, _ *scripted, c *party.Conn, msg party.Message) error {
					switch msg.Text() {
					case "fits":
						return c.Send(party.Text(fmt.Sprint(c.SetState(strings.Repeat("x", 16<<10-2)))))
					case "does not":
						return c.Send(party.Text(fmt.Sprint(errors.Is(c.SetState(strings.Repeat("y", 16<<10-1)), party.ErrStateTooLarge))))
					}
					text, err := party.StateOf[string](c)
					return errors.Join(err, c.Send(party.Text(fmt.Sprint(len(text), text[:1]))))
				}}
				p := bubble(t, server.Rooms(s.define("chat", opts...)))
				c := p.mustDial("/party/x")
				for _, say := range []string{"fits", "does not"} {
					c.say(t, say)
				}
				time.Sleep(time.Minute)
				c.say(t, "get")
				synctest.Wait()
				if got := c.take(); got != "<nil> true 16382x" {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// TestTwoSocketsOneIDAsleep shows that after its sleep a room still knows which of two sockets is the newer, and
// that the end of the older takes nothing from it.
func TestTwoSocketsOneIDAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{
			connect: func(_ context.Context, _ *scripted, c *party.Conn, req *http.Request) error {
				return c.SetState(req.URL.Query().Get("n"))
			},
			request: func(r *scripted, w http.ResponseWriter, _ *http.Request) {
				top, ok := r.Connection("ada")
				if !ok {
					fmt.Fprint(w, "nobody")
					return
				}
				n, _ := party.StateOf[string](top)
				fmt.Fprint(w, n, " of ", ids(r))
				r.Broadcast(party.Text("to " + n))
			},
		}
		p := bubble(t, server.Rooms(s.define("chat", party.AsHibernating())))
		older, newer := p.mustDial("/party/x?_pk=ada&n=1"), p.mustDial("/party/x?_pk=ada&n=2")
		check := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			if got := p.get("/party/x"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		check("2 of ada,ada")
		time.Sleep(time.Minute)
		older.Close()
		synctest.Wait()
		check("2 of ada")
		if got := newer.take(); got != "to 2 to 2" {
			t.Errorf("the newer one got %q", got)
		}
		newer.Close()
		synctest.Wait()
		check("nobody")
	})
}

// TestTagsAreChecked in both kinds of rooms, and those that pass outlast a sleep.
func TestTagsAreChecked(t *testing.T) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script{
					tags: func(_ context.Context, _ *scripted, _ *party.Conn, req *http.Request) ([]string, error) {
						return req.URL.Query()["tag"], nil
					},
					request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
						fmt.Fprint(w, ids(r), " ", ids(r, "a"), " ", ids(r, "b"))
					},
				}
				p := bubble(t, server.Rooms(s.define("chat", opts...)))
				p.mustDial("/party/x?_pk=good&tag=a")
				for what, query := range map[string]string{
					"too many": "tag=" + strings.Join(strings.Split("0123456789", ""), "&tag="),
					"too long": "tag=" + strings.Repeat("x", 257),
					"empty":    "tag=",
				} {
					bad := p.mustDial("/party/x?_pk=bad&" + query)
					synctest.Wait()
					if got := bad.closeCode(); got != 1011 {
						t.Errorf("%s: closed with %d, want 1011", what, got)
					}
				}
				time.Sleep(time.Minute)
				if got := p.get("/party/x"); got != "good good " {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}
