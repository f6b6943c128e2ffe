package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// TestStartComesFirst wakes a room by each kind of event. OnStart knows the room's name, and is done before anything else.
func TestStartComesFirst(t *testing.T) {
	for _, test := range []struct {
		name string
		wake func(t *testing.T, p *pipes, sleeping *reader)
		want string
	}{
		{"a connection", func(t *testing.T, p *pipes, _ *reader) { p.mustDial("/party/a%2Fb?_pk=new") }, "connect new"},
		{"a message", func(t *testing.T, _ *pipes, sleeping *reader) { sleeping.say(t, "hi") }, "message hi"},
		{"a close", func(t *testing.T, _ *pipes, sleeping *reader) { sleeping.Close() }, "close 1006"},
		{"a request", func(t *testing.T, p *pipes, _ *reader) { <-p.request("GET", "/party/a%2Fb") }, "request"},
		{"an alarm", func(*testing.T, *pipes, *reader) { time.Sleep(time.Hour) }, "alarm"},
		{"a call from inside", func(t *testing.T, p *pipes, _ *reader) { <-p.request("GET", "/call") }, "request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				events := make(chan string, 20)
				note := func(r *scripted, what string) { events <- fmt.Sprintf("%s in %s, started %d", what, r.Name(), r.n) }
				s := script{
					start: func(ctx context.Context, r *scripted) error {
						err := r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Second) })
						r.n++
						return err
					},
					connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
						if c.ID() == "sleeping" {
							return r.SetAlarm(time.Now().Add(time.Hour))
						}
						note(r, "connect "+c.ID())
						return nil
					},
					message: func(_ context.Context, r *scripted, _ *party.Conn, m party.Message) error {
						note(r, "message "+m.Text())
						return nil
					},
					close: func(_ context.Context, r *scripted, _ *party.Conn, ev party.CloseEvent) {
						note(r, fmt.Sprint("close ", ev.Code))
					},
					request: func(r *scripted, _ http.ResponseWriter, _ *http.Request) { note(r, "request") },
					alarm:   func(_ context.Context, r *scripted) error { note(r, "alarm"); return nil },
				}
				p := bubble(t, server.App(&party.App{
					Rooms: []party.Definition{s.define("chat", party.AsHibernating())},
					Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
						in, _ := http.NewRequest("GET", "/", nil)
						resp, err := lobby.Party("chat").Get("a/b").Fetch(r.Context(), in)
						if err != nil {
							t.Error(err)
							return
						}
						resp.Body.Close()
					},
				}))
				sleeping := p.mustDial("/party/a%2Fb?_pk=sleeping")
				time.Sleep(time.Minute)
				test.wake(t, p, sleeping)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got, want := <-events, test.want+" in a/b, started 1"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestNoCallbacks shows a party without any: clients are let in, and may say what they like.
func TestNoCallbacks(t *testing.T) {
	hs := start(t, server.Rooms(script{}.define("chat")))
	c := dial(t, hs, "/party/x")
	c.say("anybody?")
	visit(t, hs.URL+"/party/x").check(t, 404, "Not implemented\n")
	c.leave(1000, "")
}

// TestBroadcastToNobody is no error, whatever woke the room.
func TestBroadcastToNobody(t *testing.T) {
	hs := start(t, server.Rooms(script{request: func(r *scripted, w http.ResponseWriter, _ *http.Request) {
		_, ok := r.Connection("nobody")
		fmt.Fprint(w, r.Broadcast(party.Text("x")), " ", r.Broadcast(party.Text("x"), party.WithTag("t"), party.ExceptID("a")), " ", ok, ids(r))
	}}.define("chat")))
	visit(t, hs.URL+"/party/x").check(t, 200, "<nil> <nil> false")
}

// TestReadThenWrite shows that nothing comes between a Get and the Put that follows it.
func TestReadThenWrite(t *testing.T) {
	const clients, each = 8, 25
	hs := start(t, server.Rooms(script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		n, _, err := party.Get[int](req.Context(), r.Storage(), "n")
		if err == nil {
			err = r.Storage().Put(req.Context(), "n", n+1)
		}
		fmt.Fprint(w, n+1, err)
	}}.define("chat")))
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				a := visit(t, hs.URL+"/party/x")
				mu.Lock()
				if seen[a.body] || !strings.HasSuffix(a.body, "<nil>") {
					t.Errorf("got %s, twice or with an error", a.body)
				}
				seen[a.body] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if want := fmt.Sprint(clients*each, " <nil>"); !seen[want] {
		t.Errorf("nobody got %s", want)
	}
}

// TestPropsOfLaterCalls gives OnStart the props of the call that started the room; later ones are there to be
// read, but OnStart does not run again. They are never logged.
func TestPropsOfLaterCalls(t *testing.T) {
	var log logged
	s := script{
		start: func(_ context.Context, r *scripted) error { r.n++; return nil },
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			if with := req.URL.Query().Get("with"); with != "" {
				in, _ := http.NewRequest("GET", "/", nil)
				resp, err := r.Lobby().Party("chat").Get("other", party.Props(map[string]string{"who": with})).Fetch(req.Context(), in)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				io.Copy(w, resp.Body)
				return
			}
			var props struct{ Who string }
			ok, err := r.Props(&props)
			fmt.Fprint(w, r.n, " ", ok, " ", props.Who, " ", err, " ", len(req.Header.Values("X-Party-Props")))
			r.Logger().Info("answered", "url", req.URL.String())
		},
	}
	hs := start(t, log.option(), server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/other").check(t, 200, "1 false  <nil> 0")
	visit(t, hs.URL+"/party/x?with=%C3%9Cmit%E2%86%92%F0%9F%8E%89").check(t, 200, "1 true Ümit→🎉 <nil> 0")
	visit(t, hs.URL+"/party/x?with=bob").check(t, 200, "1 true bob <nil> 0")
	visit(t, hs.URL+"/party/other").check(t, 200, "1 true bob <nil> 0")
	if text := log.String(); !strings.Contains(text, "answered") || strings.Contains(text, "bob") {
		t.Errorf("the log: %s", text)
	}
}

// TestAlarmReachesOtherRooms shows that a room that only its alarm has woken, after a restart, knows its name and reaches others.
func TestAlarmReachesOtherRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 1)
		d := script{
			request: func(r *scripted, _ http.ResponseWriter, req *http.Request) {
				if req.Method == "POST" {
					told <- req.URL.RequestURI()
					return
				}
				r.SetAlarm(time.Now().Add(time.Hour))
			},
			alarm: func(ctx context.Context, r *scripted) error {
				in, _ := http.NewRequest("POST", "/?from="+r.Party()+"/"+r.Name(), nil)
				resp, err := r.Lobby().Party("chat").Get("other").Fetch(ctx, in)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			},
		}.define("chat")
		store := memory.New()
		first, err := server.New(quiet(), server.Store(store), server.Rooms(d))
		if err != nil {
			t.Fatal(err)
		}
		startPipes(t, first).get("/party/x")
		if err := first.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		bubble(t, server.Store(store), server.Rooms(d))
		time.Sleep(2 * time.Hour)
		if got, ok := arrived(told); got != "/parties/chat/other?from=chat/x" {
			t.Errorf("got %q, %v", got, ok)
		}
	})
}

// TestDialIsRefused shows what the caller learns of a room that lets nobody in.
func TestDialIsRefused(t *testing.T) {
	s := script{
		start: func(_ context.Context, r *scripted) error {
			if r.Name() == "broken" {
				return errors.New("secret")
			}
			return nil
		},
		connect: func(_ context.Context, r *scripted, _ *party.Conn, _ *http.Request) error {
			return &party.CloseError{Code: 4403, Reason: "members only"}
		},
	}
	app := &party.App{
		Rooms: []party.Definition{s.define("chat")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			socket, err := lobby.Party("chat").Get(strings.TrimPrefix(r.URL.Path, "/")).Dial(r.Context())
			if err == nil {
				_, err = socket.Receive(r.Context())
			}
			fmt.Fprint(w, err)
		},
	}
	hs := start(t, quiet(), server.App(app))
	visit(t, hs.URL+"/broken").check(t, 200, "dial room chat/broken: it answered 500 Internal Server Error: the room could not start")
	visit(t, hs.URL+"/closed").check(t, 200, "party: connection is closed: close 4403: members only")
}

// TestLossIsNoError tells OnClose, and nobody else, of clients that just go.
func TestLossIsNoError(t *testing.T) {
	var log logged
	closed, faults := make(chan struct{}, 10), make(chan error, 10)
	hs := start(t, log.option(), server.Rooms(script{
		message:   echo,
		close:     func(context.Context, *scripted, *party.Conn, party.CloseEvent) { closed <- struct{}{} },
		fault:     func(_ context.Context, _ *scripted, _ *party.Conn, err error) { faults <- err },
		exception: func(_ context.Context, _ *scripted, err error) { faults <- err },
	}.define("chat")))
	for range 5 {
		c := dial(t, hs, "/party/x")
		c.say("x")
		c.want("x")
		c.NetConn().Close()
		within(t, closed, "OnClose")
	}
	if len(faults) > 0 {
		t.Errorf("OnError or OnException was told: %v", <-faults)
	}
	if strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("logged: %s", log.String())
	}
}
