package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// History is a random life of a store: owners come and go, commit, several at a time, and now and
// then all let go for a migration. It compares what it reads with a model, and notes what it did
// when, so that [History.Check] can tell whether what a crash has left is right.
type History struct {
	// Mark tells the time; nil for none. It never goes back, and is called on the store's goroutines too.
	Mark func() int
	// Reopen, if not nil, closes the store in some way and returns the next one.
	Reopen func() (storage.Store, error)
	// MayFail says that commits, claims and migrations may fail for reasons of the disk.
	MayFail bool
	// Gone reports whether what was begun at a mark, and has failed, can no more be there after a crash at another.
	// nil: it is gone when it has failed.
	Gone func(begun, at int) bool

	rng    *rand.Rand
	store  storage.Store
	known  []storage.Migration
	owners map[storage.Room]storage.Fence
	waits  sync.WaitGroup // commits that are not settled
	fences []marked       // that were given out

	mu     sync.Mutex // guards the notes of phases
	phases []*phase
	failed []*phase // migrations that were not made
}

type marked struct {
	fence storage.Fence
	mark  int
}

// phase is what happened between two migrations.
type phase struct {
	number      int // how many migrations there were before
	begun, done int // when the last one was asked for, and was durable
	failed      int // when that failed, if it did
	rooms       map[storage.Room][]*past
}

// past is a state that a room was in.
type past struct {
	Model
	alarm  time.Time
	begun  int // when the commit that led to it was handed over
	acked  int // when that was acknowledged
	failed int // when it was refused
}

const never = int(^uint(0) >> 1)

var (
	historyParties = []string{"chat", "game", "talk", "Ünï"}
	historyNames   = []string{"a", "b", "b\x00", "日本"}
)

// NewHistory returns a history that begins with an empty store.
func NewHistory(rng *rand.Rand, s storage.Store) *History {
	return &History{
		rng: rng, store: s, owners: make(map[storage.Room]storage.Fence),
		phases: []*phase{{failed: never, rooms: make(map[storage.Room][]*past)}},
	}
}

func (h *History) now() int {
	if h.Mark == nil {
		return 0
	}
	return h.Mark()
}

// Run does so many things. When it returns nothing is under way.
func (h *History) Run(n int) error {
	defer h.waits.Wait()
	for range n {
		var err error
		switch k := h.rng.IntN(100); {
		case k < 60:
			err = h.commit()
		case k < 75:
			err = h.read()
		case k < 85:
			h.waits.Wait()
		case k < 94:
			h.release()
		case k < 97 && h.Reopen != nil:
			err = h.reopen()
		default:
			err = h.migrate()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *History) current() *phase { return h.phases[len(h.phases)-1] }

// last is the state in which the room is as far as its owner knows.
func (p *phase) last(room storage.Room) *past {
	states := p.rooms[room]
	for _, s := range slices.Backward(states) {
		if s.failed == never {
			return s
		}
	}
	return &past{acked: 0, failed: never}
}

func (h *History) room() storage.Room {
	return storage.Room{Party: historyParties[h.rng.IntN(len(historyParties))], Name: historyNames[h.rng.IntN(len(historyNames))]}
}

// own claims the room if it has no owner.
func (h *History) own(room storage.Room) (storage.Fence, error) {
	if f := h.owners[room]; f != 0 && h.rng.IntN(20) > 0 {
		return f, nil
	}
	delete(h.owners, room)
	c, err := h.store.Claim(context.Background(), room)
	if err != nil {
		return 0, fmt.Errorf("claim %q: %w", room, err)
	}
	if n := len(h.fences); n > 0 && c.Fence <= h.fences[n-1].fence {
		return 0, fmt.Errorf("room %q was given the fence %d after %d", room, c.Fence, h.fences[n-1].fence)
	}
	h.fences = append(h.fences, marked{c.Fence, h.now()})
	h.mu.Lock()
	want := h.current().last(room).alarm
	h.mu.Unlock()
	if !c.Alarm.Equal(want) {
		return 0, fmt.Errorf("claim %q: the alarm is %v, want %v", room, c.Alarm, want)
	}
	h.owners[room] = c.Fence
	return c.Fence, nil
}

// commit hands a commit over and does not wait for it.
func (h *History) commit() error {
	room := h.room()
	fence, err := h.own(room)
	if err != nil {
		if h.MayFail {
			return nil
		}
		return err
	}
	c := RandomCommit(h.rng)
	c.Room, c.Fence = room, fence
	if h.rng.IntN(4) == 0 {
		c.Ops = append(c.Ops, put(RandomKey(h.rng), strings.Repeat("=", h.rng.IntN(9000))))
	}
	switch h.rng.IntN(5) {
	case 0:
		c.Alarm, c.AlarmAt = storage.SetAlarm, noon.Add(time.Duration(h.rng.IntN(10_000))*time.Millisecond)
	case 1:
		c.Alarm = storage.ClearAlarm
	}
	h.mu.Lock()
	p := h.current()
	s := p.last(room).after(c)
	s.begun, s.acked, s.failed = h.now(), never, never
	p.rooms[room] = append(p.rooms[room], s)
	h.mu.Unlock()
	h.waits.Add(1)
	h.store.Commit(c, func(err error) {
		defer h.waits.Done()
		h.mu.Lock()
		defer h.mu.Unlock()
		if err == nil {
			s.acked = h.now()
		} else {
			s.failed = h.now()
		}
	})
	if !h.MayFail {
		return nil
	}
	// A failure is to be known before the room's next commit is modelled.
	h.waits.Wait()
	if s.failed != never {
		delete(h.owners, room)
	}
	return nil
}

// after is the state that a commit leads to.
func (s *past) after(c storage.Commit) *past {
	next := &past{Model: s.Clone(), alarm: s.alarm}
	next.Apply(c)
	switch c.Alarm {
	case storage.SetAlarm:
		next.alarm = c.AlarmAt
	case storage.ClearAlarm:
		next.alarm = time.Time{}
	}
	return next
}

// read compares a list and a value with the model, pending commits included.
func (h *History) read() error {
	room, r, key := h.room(), RandomRange(h.rng), RandomKey(h.rng)
	entries, err := h.store.List(context.Background(), room, r)
	if err != nil {
		return err
	}
	values, err := h.store.Get(context.Background(), room, []string{key})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.current().last(room)
	if err := sameEntries(entries, now.List(r)); err != nil {
		return fmt.Errorf("room %q, %+v: %w", room, r, err)
	}
	got, exists := values[key]
	if want, ok := now.Value(key); exists != ok || string(got) != want {
		return fmt.Errorf("room %q: Get(%q) = %.40q, %v, want %.40q, %v", room, key, got, exists, want, ok)
	}
	return nil
}

func sameEntries(got, want []storage.Entry) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d entries, want %d", len(got), len(want))
	}
	for n := range got {
		if got[n].Key != want[n].Key || string(got[n].Value) != string(want[n].Value) {
			return fmt.Errorf("entry %d is %q = %.40q, want %q = %.40q", n, got[n].Key, got[n].Value, want[n].Key, want[n].Value)
		}
	}
	return nil
}

func (h *History) release() {
	room := h.room()
	h.store.Release(room, h.owners[room])
	delete(h.owners, room)
}

func (h *History) reopen() error {
	s, err := h.Reopen()
	if err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	h.waits.Wait()
	h.store = s
	clear(h.owners)
	return nil
}

// migrate moves or deletes a party, or adds one.
func (h *History) migrate() error {
	h.waits.Wait()
	for room, fence := range h.owners {
		h.store.Release(room, fence)
	}
	clear(h.owners)
	from := historyParties[h.rng.IntN(len(historyParties))]
	to := historyParties[h.rng.IntN(len(historyParties))]
	m := storage.Migration{Tag: fmt.Sprintf("v%d", len(h.known)+1)}
	switch h.rng.IntN(3) {
	case 0:
		m.New = []string{from}
	case 1:
		m.Deleted = []string{from}
	default: // what is there makes room for what moves
		m.Renamed = []storage.Rename{{From: from, To: "between"}, {From: to, To: from}, {From: "between", To: to}}
	}
	next := h.migrated(m)
	next.number, next.begun, next.done, next.failed = len(h.known)+1, h.now(), never, never
	known := append(slices.Clip(h.known), m)
	n, err := h.store.Migrate(context.Background(), known)
	if err != nil {
		if h.MayFail && !errors.Is(err, storage.ErrClaimed) {
			next.failed = h.now()
			h.failed = append(h.failed, next)
			return nil
		}
		return fmt.Errorf("migrate %+v: %w", m, err)
	}
	if n != 1 {
		return fmt.Errorf("migrate %+v: %d applied, want 1", m, n)
	}
	next.done = h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known, h.phases = known, append(h.phases, next)
	return nil
}

// migrated is the phase that a migration of what there is leads to.
func (h *History) migrated(m storage.Migration) *phase {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.current()
	next := &phase{rooms: make(map[storage.Room][]*past)}
	for room := range old.rooms {
		s := *old.last(room)
		s.begun, s.acked = 0, 0
		for _, r := range m.Renamed {
			if room.Party == r.From {
				room.Party = r.To
			}
		}
		if !slices.Contains(m.Deleted, room.Party) {
			next.rooms[room] = []*past{&s}
		}
	}
	return next
}
