package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// counted answers message n of a connection with n, after checking that it is
// the one that follows in its state. gen is the version of the code.
func counted(gen int) script {
	return script{message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
		last, err := party.StateOf[int](c)
		if err != nil {
			return err
		}
		if msg.Text() != strconv.Itoa(last+1) {
			return c.Send(party.Text(fmt.Sprintf("lost: %s after %d", msg.Text(), last)))
		}
		if last++; last%5 == 0 {
			// The total of all connections, by storage.
			n, _, err := party.Get[int](ctx, r.Storage(), "fives")
			if err := errors.Join(err, r.Storage().Put(ctx, "fives", n+1)); err != nil {
				return err
			}
		}
		if last%7 == 0 {
			defer r.Await(ctx, func(context.Context) error { return nil })
		}
		return errors.Join(c.SetState(last), c.Send(party.Text(fmt.Sprintf("%d by %d", last, gen))))
	},
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			n, _, _ := party.Get[int](req.Context(), r.Storage(), "fives")
			fmt.Fprint(w, n)
		},
	}
}

// TestHandOverUnderTraffic changes the code again and again while clients send
// numbered messages. Each is answered exactly once and in order, on the same socket; so are requests.
func TestHandOverUnderTraffic(t *testing.T) {
	for _, engine := range []string{"memory", "sqlite"} {
		for _, hibernate := range []bool{false, true} {
			t.Run(fmt.Sprint(engine, " hibernate ", hibernate), func(t *testing.T) {
				var store storage.Store = memory.New()
				if engine == "sqlite" {
					var err error
					if store, err = sqlite.Open(t.TempDir()+"/party.db", sqlite.Options{}); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { store.Close() })
				}
				handOverUnderTraffic(t, store, hibernate)
			})
		}
	}
}

func handOverUnderTraffic(t *testing.T, store storage.Store, hibernate bool) {
	const clients, swaps = 8, 20
	p, hs := serve(t, platform.Options{Store: store, Grace: patience})
	newHost := func(gen int) link.Host {
		var opts []party.DefineOption
		if hibernate {
			opts = append(opts, party.AsHibernating())
		}
		return host(t, party.HostOptions{}, counted(gen).define("chat", opts...))
	}
	p.SetHost(newHost(0))
	done := make(chan struct{})
	var wg sync.WaitGroup
	sent := make([]int, clients)
	answered := make([]atomic.Int64, clients)
	for id := range clients {
		c := dial(t, hs, "/party/x")
		c.SetReadDeadline(time.Time{})
		window := make(chan struct{}, 10) // messages that are not answered yet
		wg.Go(func() {
			defer close(window)
			for n := 1; ; n++ {
				select {
				case <-done:
					sent[id] = n - 1
					return
				case window <- struct{}{}:
					c.say(strconv.Itoa(n))
				}
			}
		})
		wg.Go(func() {
			gen := 0
			n := 1
			for range window {
				_, data, err := c.ReadMessage()
				if err != nil {
					t.Errorf("client %d: %v", id, err)
					return
				}
				var gotN, gotGen int
				fmt.Sscanf(string(data), "%d by %d", &gotN, &gotGen)
				if gotN != n || gotGen < gen {
					t.Errorf("client %d: got %q, want %d by %d or later", id, data, n, gen)
					return
				}
				gen = gotGen
				n++
				answered[id].Add(1)
			}
		})
	}
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if a := visit(t, hs.URL+"/party/x"); a.status != 200 {
					t.Errorf("request: got %d %q", a.status, a.body)
					return
				}
			}
		}
	})
	for gen := 1; gen <= swaps; gen++ {
		until(t, "traffic from every client", func() bool {
			for id := range answered {
				if answered[id].Load() < int64(gen) {
					return t.Failed()
				}
			}
			return true
		})
		within(t, p.SetHost(newHost(gen)), fmt.Sprint("hand-over ", gen))
	}
	close(done)
	wg.Wait()
	fives := 0
	for id, n := range sent {
		if n == 0 {
			t.Errorf("client %d has sent nothing", id)
		}
		fives += n / 5
	}
	visit(t, hs.URL+"/party/x").check(t, 200, fmt.Sprint(fives))
}
