package stream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// seat is a room's place on the platform, as its instance in the host process
// sees it, and the queue of events that wait for the instance.
type seat struct {
	// Set when made, then read-only.
	s      *server
	handle uint64
	key    storage.Room
	inst   link.Room // set before the first event

	mu       sync.Mutex // guards what follows
	queue    []*link.Event
	draining bool // a goroutine takes events from the queue
	stopped  bool // the instance is to end: what waits is for the next one
	released bool
	contexts map[uint64]context.CancelFunc // of requests, by event
}

var _ link.Seat = (*seat)(nil)

// push adds an event to the queue. The platform bounds how many there are.
func (t *seat) push(ev *link.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		return
	}
	if ev.Request != nil {
		ctx, cancel := context.WithCancel(t.s.ctx)
		ev.Request = ev.Request.WithContext(ctx)
		if t.contexts == nil {
			t.contexts = make(map[uint64]context.CancelFunc)
		}
		t.contexts[ev.Seq] = cancel
	}
	t.queue = append(t.queue, ev)
	if !t.draining {
		t.draining = true
		go t.drain()
	}
}

// drain delivers what is queued, in order. When a turn gives itself up in an
// await, another goroutine takes over the queue and this one only ends the turn.
func (t *seat) drain() {
	handed := false // guarded by mu
	yielded := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !handed {
			handed = true
			go t.drain()
		}
	}
	for {
		t.mu.Lock()
		if handed {
			t.mu.Unlock()
			return
		}
		if len(t.queue) == 0 || t.stopped {
			t.draining = false
			t.queue = nil
			t.mu.Unlock()
			return
		}
		ev := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		t.mu.Unlock()
		ev.Yielded = yielded
		// False means that the instance has released itself just now. The platform
		// knows that the event was not consumed.
		t.inst.Deliver(ev)
	}
}

func (t *seat) evict(grace time.Duration) {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.inst.Evict(grace)
}

// Apply implements link.Seat.
func (t *seat) Apply(b *link.Batch) {
	w := t.s.w
	t.mu.Lock()
	if t.released {
		t.mu.Unlock()
		b.Free()
		return
	}
	err := w.end(appendBatch(appendUint(w.begin(kindBatch), t.handle), b))
	for n := range b.Effects {
		if e := &b.Effects[n]; e.Op == link.Respond && e.Final {
			t.endContextLocked(e.Ref)
		}
	}
	t.mu.Unlock()
	w.flush()
	b.Free()
	if tooLarge := sizeError(0); errors.As(err, &tooLarge) {
		t.fail(err)
	}
}

// fail gives the room up because a turn's effects cannot be told to the
// platform: the instance believes what will never be so. It counts as a death of the
// event, or the next instance would do the same again.
func (t *seat) fail(err error) {
	slog.Error("the effects of a turn are too large, the room is restarted", "party", t.key.Party, "room", t.key.Name, "err", err)
	t.release(true)
	t.inst.Evict(0)
}

// Release implements link.Seat. left is known to the platform already: it is
// what was delivered and not consumed.
func (t *seat) Release([]*link.Event) { t.release(false) }

func (t *seat) release(died bool) {
	if !t.end() {
		return
	}
	t.s.mu.Lock()
	delete(t.s.seats, t.handle)
	t.s.mu.Unlock()
	w := t.s.w
	w.end(appendBool(appendUint(w.begin(kindRelease), t.handle), died))
	w.flush()
}

// end makes the seat one that has no effect. False means that it was one already.
func (t *seat) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		return false
	}
	t.released, t.stopped = true, true
	t.queue = nil
	for _, cancel := range t.contexts {
		cancel()
	}
	t.contexts = nil
	return true
}

func (t *seat) endContext(seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endContextLocked(seq)
}

func (t *seat) endContextLocked(seq uint64) {
	if cancel := t.contexts[seq]; cancel != nil {
		cancel()
		delete(t.contexts, seq)
	}
}

// Get implements link.Seat.
func (t *seat) Get(ctx context.Context, keys []string) (map[string][]byte, error) {
	a, err := t.s.load(ctx, kindGet, func(b []byte) []byte { return appendStrings(appendUint(b, t.handle), keys) })
	return a.values, err
}

// List implements link.Seat.
func (t *seat) List(ctx context.Context, r storage.Range) ([]storage.Entry, error) {
	a, err := t.s.load(ctx, kindList, func(b []byte) []byte { return appendRange(appendUint(b, t.handle), &r) })
	return a.entries, err
}

// Sync implements link.Seat.
func (t *seat) Sync(ctx context.Context) error {
	_, err := t.s.load(ctx, kindSync, func(b []byte) []byte { return appendUint(b, t.handle) })
	return err
}

// Fetch implements link.Seat.
func (t *seat) Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	return t.s.fetch(ctx, origin{room: t.handle}, target, r)
}

// Asset implements link.Seat.
func (t *seat) Asset(ctx context.Context, path string) ([]byte, error) {
	return t.s.asset(ctx, origin{room: t.handle}, path)
}

// lobby is a call's way to the platform.
type lobby struct {
	s    *server
	call uint64
}

var _ link.Lobby = lobby{}

// Fetch implements link.Lobby.
func (l lobby) Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	return l.s.fetch(ctx, origin{call: l.call}, target, r)
}

// Asset implements link.Lobby.
func (l lobby) Asset(ctx context.Context, path string) ([]byte, error) {
	return l.s.asset(ctx, origin{call: l.call}, path)
}

func (s *server) asset(ctx context.Context, from origin, path string) ([]byte, error) {
	a, err := s.load(ctx, kindOpen, func(b []byte) []byte {
		return appendString(appendUint(appendUint(b, from.room), from.call), path)
	})
	return a.data, err
}
