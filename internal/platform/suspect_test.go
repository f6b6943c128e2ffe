package platform

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// mortalHost is a host that takes events and answers them when told, or dies of them.
type mortalHost struct {
	done chan struct{}

	mu    sync.Mutex
	rooms []*mortalRoom
}

func (h *mortalHost) Info() link.Info {
	return link.Info{Parties: []link.Party{{Name: "p", Requests: true}}}
}

func (h *mortalHost) Call(context.Context, link.Call, http.ResponseWriter) (link.Outcome, error) {
	return link.Outcome{}, link.ErrHostGone
}

func (h *mortalHost) Done() <-chan struct{} { return h.done }

func (h *mortalHost) Wake(w link.Wake) link.Room {
	r := &mortalRoom{name: w.Room.Name, seat: w.Seat}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms = append(h.rooms, r)
	return r
}

// mortalRoom keeps events until somebody answers or dies.
type mortalRoom struct {
	name string
	seat link.Seat

	mu   sync.Mutex
	left []*link.Event
}

func (r *mortalRoom) Deliver(ev *link.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = append(r.left, ev)
	return true
}

func (r *mortalRoom) Evict(time.Duration) {}

// delivered names the rooms in which an event is under way.
func (h *mortalHost) delivered() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, r := range h.rooms {
		r.mu.Lock()
		if len(r.left) > 0 {
			names = append(names, r.name)
		}
		r.mu.Unlock()
	}
	slices.Sort(names)
	return names
}

// answer consumes what is under way in a room.
func (h *mortalHost) answer(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rooms {
		if r.name != name {
			continue
		}
		r.mu.Lock()
		left := r.left
		r.left = nil
		r.mu.Unlock()
		for _, ev := range left {
			r.seat.Apply(&link.Batch{Consumed: ev.Seq, Effects: []link.Effect{{Op: link.Respond, Ref: ev.Seq, Code: 200, Data: name, Final: true}}})
		}
	}
}

// die ends the host as the stream does: Done first, then every seat is released.
func (h *mortalHost) die() {
	close(h.done)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rooms {
		r.mu.Lock()
		left := r.left
		r.left = nil
		r.mu.Unlock()
		if len(left) > 0 {
			left[0].Deaths++
		}
		r.seat.Release(left)
	}
}

// TestBystandersOfACrashAreNotDropped kills two hosts with the same event,
// while events of other rooms are under way.
func TestBystandersOfACrashAreNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		answers := make(map[string]*httptest.ResponseRecorder)
		var wg sync.WaitGroup
		names := []string{"deadly", "b1", "b2", "b3"}
		for _, name := range names {
			w := httptest.NewRecorder()
			answers[name] = w
			wg.Go(func() { p.ServeHTTP(w, httptest.NewRequest("GET", "/parties/p/"+name, nil)) })
		}
		next := func() *mortalHost {
			h := &mortalHost{done: make(chan struct{})}
			p.SetHost(h)
			synctest.Wait()
			return h
		}
		h := next()
		if got := h.delivered(); len(got) != len(names) {
			t.Fatalf("under way: %v, want all", got)
		}
		p.SetHost(nil)
		h.die()
		for deaths := 1; ; {
			if h = next(); len(h.delivered()) == 0 {
				break
			}
			dead := false
			for !dead && len(h.delivered()) > 0 {
				got := h.delivered()
				if len(got) != 1 {
					t.Fatalf("suspects under way: %v, want one at a time", got)
				}
				if got[0] == "deadly" {
					deaths++
					p.SetHost(nil)
					h.die()
					dead = true
					continue
				}
				h.answer(got[0])
				synctest.Wait()
			}
			if deaths > maxDeaths {
				t.Fatal("the deadly event was delivered after two deaths")
			}
			if !dead {
				break
			}
		}
		wg.Wait()
		for _, name := range names {
			want := 200
			if name == "deadly" {
				want = 500
			}
			if got := answers[name].Code; got != want {
				t.Errorf("%s: answered %d, want %d", name, got, want)
			}
		}
		h.die()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}
