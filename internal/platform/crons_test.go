package platform

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// cronHost is a host that has cron functions and nothing else.
type cronHost struct {
	mu    sync.Mutex
	calls []time.Time
	names []string
	block chan struct{} // if set, calls wait for it
	dies  int           // of so many calls
}

func (h *cronHost) Info() link.Info            { return link.Info{Crons: []string{"tick"}} }
func (h *cronHost) Wake(w link.Wake) link.Room { panic("a cron host has no rooms") }

func (h *cronHost) Call(ctx context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error) {
	h.mu.Lock()
	h.calls = append(h.calls, c.At)
	h.names = append(h.names, c.Cron)
	dies := h.dies > 0
	h.dies--
	h.mu.Unlock()
	if dies {
		return link.Outcome{}, link.ErrHostGone
	}
	if h.block != nil {
		<-h.block
	}
	return link.Outcome{}, nil
}

func TestCronFiresOncePerTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Crons: map[string]string{"tick": "*/10 * * * *"}})
		if err != nil {
			t.Fatal(err)
		}
		h := &cronHost{}
		p.SetHost(h)
		began := time.Now()
		time.Sleep(35 * time.Minute)
		synctest.Wait()
		if err := p.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		var want []time.Time
		for tick := began.UTC().Truncate(10 * time.Minute).Add(10 * time.Minute); tick.Before(began.Add(35 * time.Minute)); tick = tick.Add(10 * time.Minute) {
			want = append(want, tick)
		}
		if !slices.EqualFunc(h.calls, want, time.Time.Equal) {
			t.Errorf("ticks at %v, want %v", h.calls, want)
		}
	})
}

func TestCronDoesNotOverlapItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Crons: map[string]string{"tick": "@every 1m"}})
		if err != nil {
			t.Fatal(err)
		}
		h := &cronHost{block: make(chan struct{})}
		p.SetHost(h)
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if n := len(h.calls); n != 1 {
			t.Errorf("%d calls while the first has not ended, want 1", n)
		}
		close(h.block)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCronsOfOneExpression runs both of two schedules that are written alike, each under its own name.
func TestCronsOfOneExpression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crons := map[string]string{"tick": "0 * * * *", "tock": "0 * * * *"}
		p, err := New(Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Crons: crons})
		if err != nil {
			t.Fatal(err)
		}
		h := &cronHost{}
		p.SetHost(h)
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		slices.Sort(h.names)
		if got := h.names; !slices.Equal(got, []string{"tick", "tock"}) {
			t.Errorf("ran %q in an hour", got)
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestCronWhoseHostDies runs a tick once more when user code has died during it, and no more than that.
func TestCronWhoseHostDies(t *testing.T) {
	for _, test := range []struct{ dies, calls int }{{0, 1}, {1, 2}, {9, 2}} {
		synctest.Test(t, func(t *testing.T) {
			p, err := New(Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler), Crons: map[string]string{"tick": "0 * * * *"}})
			if err != nil {
				t.Fatal(err)
			}
			h := &cronHost{dies: test.dies}
			p.SetHost(h)
			time.Sleep(time.Hour + time.Minute)
			synctest.Wait()
			if len(h.calls) != test.calls || !h.calls[0].Equal(h.calls[len(h.calls)-1]) {
				t.Errorf("dies %d times: called for %v, want %d calls for one tick", test.dies, h.calls, test.calls)
			}
			if err := p.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSundayAsZero(t *testing.T) {
	for in, want := range map[string]string{
		"0 9 * * 7":     "0 9 * * 0",
		"0 9 * * 5-7":   "0 9 * * 5-6,0",
		"0 9 * * 1,7":   "0 9 * * 1,0",
		"7 7 7 7 1":     "7 7 7 7 1",
		"@every 7m":     "@every 7m",
		"0 9 * * 1-5/2": "0 9 * * 1-5/2",
	} {
		if got := sundayAsZero(in); got != want {
			t.Errorf("sundayAsZero(%q) = %q, want %q", in, got, want)
		}
	}
}
