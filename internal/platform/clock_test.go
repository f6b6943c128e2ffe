package platform

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// ticking runs a clock in a bubble; rung returns what has rung since the last call.
func ticking(t *testing.T, fn func(c *clock, rung func() string)) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var all []string
		began := time.Now()
		c := newClock(func(key storage.Room, _ time.Time, attempt int) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, fmt.Sprintf("%s@%v#%d", key.Name, time.Since(began), attempt))
		})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			c.run(ctx)
			close(ended)
		}()
		fn(c, func() string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			s := strings.Join(all, " ")
			all = nil
			return s
		})
		cancel()
		<-ended
	})
}

func named(name string) storage.Room { return storage.Room{Party: "chat", Name: name} }

func TestClock(t *testing.T) {
	ticking(t, func(c *clock, rung func() string) {
		now := time.Now()
		c.set(named("b"), now.Add(2*time.Minute))
		c.set(named("a"), now.Add(time.Minute))
		c.set(named("c"), now.Add(3*time.Minute))
		c.set(named("c"), now.Add(30*time.Second))
		c.set(named("d"), now.Add(time.Minute))
		c.clear(named("d"))
		c.clear(named("none"))
		c.retry(named("a")) // has not rung: nothing to retry
		c.set(named("past"), now.Add(-time.Hour))
		if got := rung(); got != "past@0s#0" {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(time.Hour)
		if got := rung(); got != "c@30s#0 a@1m0s#0 b@2m0s#0" {
			t.Errorf("in an hour: %q", got)
		}
		c.retry(named("a"))
		time.Sleep(10 * time.Second)
		if got := rung(); got != "a@1h0m2s#1" {
			t.Errorf("retry: %q", got)
		}
		c.retry(named("a"))
		c.retry(named("a")) // waits already
		time.Sleep(10 * time.Second)
		if got := rung(); got != "a@1h0m14s#2" {
			t.Errorf("second retry: %q", got)
		}
		c.set(named("a"), time.Now()) // a new one has failed never
		if got := rung(); got != "a@1h0m20s#0" {
			t.Errorf("set anew: %q", got)
		}
		c.clear(named("a"))
		c.retry(named("a"))
		time.Sleep(time.Hour)
		if got := rung(); got != "" {
			t.Errorf("cleared: %q", got)
		}
	})
}

// TestClockRandom compares with a plain map.
func TestClockRandom(t *testing.T) {
	seed := rand.Uint64()
	ticking(t, func(c *clock, rung func() string) {
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		want := map[string]time.Time{}
		for range 500 {
			name := fmt.Sprint(rnd.IntN(40))
			if rnd.IntN(4) == 0 {
				c.clear(named(name))
				delete(want, name)
			} else {
				at := time.Now().Add(time.Duration(1+rnd.IntN(100)) * time.Second)
				c.set(named(name), at)
				want[name] = at
			}
			if rnd.IntN(5) > 0 {
				continue
			}
			time.Sleep(time.Duration(rnd.IntN(20)) * time.Second)
			got := map[string]bool{}
			for s := range strings.FieldsSeq(rung()) {
				name, _, _ := strings.Cut(s, "@")
				if got[name] {
					t.Errorf("%s rang twice", name)
				}
				got[name] = true
			}
			for name, at := range want {
				if due := !at.After(time.Now()); due != got[name] {
					t.Errorf("%s: due %v, rang %v", name, due, got[name])
				}
				if got[name] {
					delete(want, name)
					delete(got, name)
				}
			}
			if len(got) > 0 {
				t.Errorf("rang without reason: %v", got)
			}
		}
	})
}
