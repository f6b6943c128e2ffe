package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestShutdown closes sockets with 1012, runs OnClose, keeps what it wrote, and refuses what comes later.
func TestShutdown(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []party.DefineOption
		idle time.Duration
	}{
		{"awake", nil, time.Hour},
		{"hibernating", []party.DefineOption{party.AsHibernating()}, time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := script{
				close: func(ctx context.Context, r *scripted, c *party.Conn, ev party.CloseEvent) {
					n, _, _ := party.Get[int](ctx, r.Storage(), "left")
					r.Storage().Put(ctx, "left", n+1)
					if ev.Code != 1012 || !ev.Clean {
						t.Errorf("OnClose: got %+v", ev)
					}
				},
				request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
					n, _, _ := party.Get[int](req.Context(), r.Storage(), "left")
					fmt.Fprint(w, n)
				},
			}
			opts := []server.Option{quiet(), server.Data(dir), server.Rooms(s.define("chat", test.opts...)), server.WithLimits(server.Limits{Idle: test.idle})}
			srv, err := server.New(opts...)
			if err != nil {
				t.Fatal(err)
			}
			hs := serveOnce(t, srv)
			var wg sync.WaitGroup
			for n := range 6 {
				c := dial(t, hs, fmt.Sprint("/party/", n%2))
				wg.Go(func() { c.wantClose(1012, "server is shutting down") })
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			began := time.Now()
			if err := srv.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("Shutdown took %v", took)
			}
			wg.Wait()
			got := visit(t, hs.URL+"/party/0")
			if got.status != 503 || got.header.Get("Retry-After") == "" {
				t.Errorf("afterwards: got %d %v", got.status, got.header)
			}
			if got := refused(t, hs, "/party/0"); got.status != 503 {
				t.Errorf("upgrade afterwards: got %d", got.status)
			}
			hs = start(t, opts...)
			visit(t, hs.URL+"/party/0").check(t, 200, "3")
			visit(t, hs.URL+"/party/1").check(t, 200, "3")
		})
	}
}

// stopping is a server in a bubble that the test shuts down itself.
func stopping(t *testing.T, opts ...server.Option) (*server.Server, *pipes) {
	s, err := server.New(append(opts, quiet())...)
	if err != nil {
		t.Fatal(err)
	}
	return s, startPipes(t, s)
}

// TestShutdownFinishesWork answers what has begun.
func TestShutdownFinishesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := stopping(t, server.Grace(time.Minute), server.Rooms(script{
			request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
				r.Await(req.Context(), func(ctx context.Context) error { return pause(ctx, 10*time.Second) })
				fmt.Fprint(w, "done")
			},
		}.define("chat")))
		answer := p.request("GET", "/party/x")
		synctest.Wait()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if a, ok := arrived(answer); !ok || a.body != "done" {
			t.Errorf("got %v, %v", a, ok)
		}
	})
}

// TestShutdownIsBounded cuts off clients that do not answer and callbacks that do not end.
func TestShutdownIsBounded(t *testing.T) {
	t.Run("a client that does not confirm", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			closed := make(chan party.CloseEvent, 1)
			s, p := stopping(t, server.Rooms(script{
				close: func(_ context.Context, _ *scripted, _ *party.Conn, ev party.CloseEvent) { closed <- ev },
			}.define("chat")))
			d := websocket.Dialer{NetDialContext: p.Dial}
			ws, _, err := d.Dial("ws://pipes/party/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			began := time.Now()
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if ev := <-closed; ev.Code != 1006 || ev.Clean {
				t.Errorf("OnClose: got %+v", ev)
			}
		})
	})
	for name, opts := range map[string]struct {
		path string
		s    script
	}{
		"a request that waits forever": {"/party/x", script{request: func(r *scripted, _ http.ResponseWriter, req *http.Request) {
			r.Await(context.WithoutCancel(req.Context()), func(context.Context) error { time.Sleep(24 * time.Hour); return nil })
		}}},
		"an alarm that waits forever": {"/party/x", script{
			request: func(r *scripted, _ http.ResponseWriter, _ *http.Request) { r.SetAlarm(time.Now()) },
			alarm: func(ctx context.Context, r *scripted) error {
				return r.Await(context.WithoutCancel(ctx), func(context.Context) error { time.Sleep(24 * time.Hour); return nil })
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, p := stopping(t, server.Rooms(opts.s.define("chat")), server.Grace(time.Second))
				p.request("GET", opts.path)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				if err := s.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("took %v", took)
				}
				time.Sleep(25 * time.Hour) // the callback ends before the bubble does
			})
		})
	}
	t.Run("the context ends first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, p := stopping(t, server.Grace(time.Hour), server.Rooms(script{
				request: func(r *scripted, _ http.ResponseWriter, req *http.Request) {
					r.Await(req.Context(), func(ctx context.Context) error { return pause(ctx, 2*time.Hour) })
				},
			}.define("chat")))
			p.request("GET", "/party/x")
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			time.Sleep(3 * time.Hour)
		})
	})
}

// TestShutdownWhileConnecting lets clients come in all the time.
func TestShutdownWhileConnecting(t *testing.T) {
	for range 5 {
		s, err := server.New(quiet(), server.Rooms(script{message: echo}.define("chat")))
		if err != nil {
			t.Fatal(err)
		}
		hs := serveOnce(t, s)
		stop := make(chan struct{})
		first := make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					c, _, err := tryDial(hs, "/party/x")
					if err != nil {
						continue
					}
					once.Do(func() { close(first) })
					c.SetReadDeadline(time.Now().Add(patience))
					_, _, err = c.ReadMessage()
					if !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
						t.Errorf("got %v, want close 1012", err)
					}
					c.Close()
				}
			})
		}
		within(t, first, "the first one")
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		cancel()
		close(stop)
		wg.Wait()
		hs.Close()
	}
}
