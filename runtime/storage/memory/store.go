// Package memory keeps rooms in memory: for tests, and for servers that are
// asked not to persist anything. It passes the same suite as every engine,
// except that nothing survives the process.
//
// It is not made for much data: a new key costs time in proportion to the
// number of keys in its room.
package memory

import (
	"context"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/shrink"
	"github.com/goparty-dev/party/runtime/storage"
)

// Store is a store in memory. A commit counts as durable once it is accepted.
//
// It runs no goroutine while it is idle.
type Store struct {
	mu      sync.Mutex
	rooms   map[storage.Room]*room // those that have data
	owners  shrink.Map[storage.Room, storage.Fence]
	last    storage.Fence
	applied []string      // tags of migrations
	settled []settlement  // callbacks to run, oldest first
	settler chan struct{} // closed when the settler ends; nil when none runs
	closed  bool
}

var _ storage.Store = (*Store)(nil)

// settlement is the outcome of a commit or a sync, on its way to its caller.
type settlement struct {
	done func(error)
	err  error
}

// New returns an empty store.
func New() *Store {
	return &Store{
		rooms: make(map[storage.Room]*room),
	}
}

// use locks the store for one operation, unless it is closed or ctx has ended.
func (s *Store) use(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return storage.ErrClosed
	}
	return nil
}

// Claim implements [storage.Store].
func (s *Store) Claim(ctx context.Context, addr storage.Room) (storage.Claim, error) {
	if err := s.use(ctx); err != nil {
		return storage.Claim{}, err
	}
	defer s.mu.Unlock()
	s.last++
	s.owners.Set(addr, s.last)
	claim := storage.Claim{Fence: s.last, Empty: true}
	if r := s.rooms[addr]; r != nil {
		claim.Alarm, claim.Empty = r.alarm, r.empty()
	}
	return claim, nil
}

// Release implements [storage.Store].
func (s *Store) Release(addr storage.Room, fence storage.Fence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owners.Get(addr) == fence {
		s.owners.Delete(addr)
	}
}

// Commit implements [storage.Store].
func (s *Store) Commit(c storage.Commit, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		s.settle(done, storage.ErrClosed)
	case c.Fence == 0 || s.owners.Get(c.Room) != c.Fence:
		s.settle(done, storage.ErrFenced)
	default:
		r := s.rooms[c.Room]
		if r == nil {
			r = newRoom()
			s.rooms[c.Room] = r
		}
		r.apply(&c)
		if r.empty() {
			delete(s.rooms, c.Room)
		}
		s.settle(done, nil)
	}
}

// Sync implements [storage.Store].
func (s *Store) Sync(_ storage.Room, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.settle(done, storage.ErrClosed)
		return
	}
	s.settle(done, nil)
}

// settle hands a callback to the settler, which it starts when there is
// none. The caller holds mu.
func (s *Store) settle(done func(error), err error) {
	s.settled = append(s.settled, settlement{done, err})
	if s.settler == nil {
		s.settler = make(chan struct{})
		go s.runSettler(s.settler)
	}
}

// runSettler runs callbacks, in order, until there are none.
func (s *Store) runSettler(ended chan struct{}) {
	defer close(ended)
	for {
		s.mu.Lock()
		batch := s.settled
		s.settled = nil
		if len(batch) == 0 {
			s.settler = nil
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, b := range batch {
			b.done(b.err)
		}
	}
}

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, addr storage.Room, keys []string) (map[string][]byte, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	found := make(map[string][]byte, len(keys))
	if r := s.rooms[addr]; r != nil {
		for _, k := range keys {
			if v, ok := r.values[k]; ok {
				found[k] = v
			}
		}
	}
	return found, nil
}

// List implements [storage.Store].
func (s *Store) List(ctx context.Context, addr storage.Room, in storage.Range) ([]storage.Entry, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if r := s.rooms[addr]; r != nil {
		return r.list(in), nil
	}
	return nil, nil
}

// Alarms implements [storage.Store].
func (s *Store) Alarms(ctx context.Context, after storage.Alarm, limit int) ([]storage.Alarm, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return alarms(s.rooms, after, limit), nil
}

// Close implements [storage.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return storage.ErrClosed
	}
	s.closed = true
	settler := s.settler
	s.mu.Unlock()
	if settler != nil {
		<-settler
	}
	return nil
}

// millis rounds as every engine does: alarms have a resolution of one millisecond.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()) }
