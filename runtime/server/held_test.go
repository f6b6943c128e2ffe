package server_test

import (
	"context"
	"slices"
	"sync"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// heldStore is a store in memory whose commits become durable when the test says
// so, or fail.
type heldStore struct {
	*memory.Store

	mu       sync.Mutex
	changed  *sync.Cond // on mu: outcomes has become shorter
	holding  bool
	failing  error                          // what commits fail with
	failed   map[storage.Room]storage.Fence // whose commits fail from now on
	outcomes []outcome                      // that nobody has been told yet, oldest first
	telling  bool
}

type outcome struct {
	room storage.Room
	tell func()
}

func newHeldStore() *heldStore {
	s := &heldStore{Store: memory.New(), failed: make(map[storage.Room]storage.Fence)}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Claim waits for what has been accepted for the room, as every store does.
func (s *heldStore) Claim(ctx context.Context, room storage.Room) (storage.Claim, error) {
	defer context.AfterFunc(ctx, s.changed.Broadcast)()
	s.mu.Lock()
	for ctx.Err() == nil && slices.ContainsFunc(s.outcomes, func(o outcome) bool { return o.room == room }) {
		s.changed.Wait()
	}
	s.mu.Unlock()
	return s.Store.Claim(ctx, room)
}

func (s *heldStore) Commit(c storage.Commit, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil || s.failed[c.Room] == c.Fence {
		err := s.failing
		if s.failed[c.Room] == c.Fence {
			err = storage.ErrFenced
		}
		s.failed[c.Room] = c.Fence
		s.settle(c.Room, func() { done(err) })
		return
	}
	s.Store.Commit(c, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle(c.Room, func() { done(err) })
	})
}

// settle is called with mu held.
func (s *heldStore) settle(room storage.Room, tell func()) {
	s.outcomes = append(s.outcomes, outcome{room, tell})
	if !s.holding && !s.telling {
		s.telling = true
		go s.tellAll()
	}
}

func (s *heldStore) tellAll() {
	for s.tell() {
	}
}

// tell tells one outcome.
func (s *heldStore) tell() bool {
	s.mu.Lock()
	if len(s.outcomes) == 0 {
		s.telling = false
		s.mu.Unlock()
		return false
	}
	o := s.outcomes[0]
	s.mu.Unlock()
	o.tell()
	s.mu.Lock()
	s.outcomes = s.outcomes[1:]
	s.mu.Unlock()
	s.changed.Broadcast()
	return true
}

// hold keeps commits back from now on.
func (s *heldStore) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = true
}

// release lets go of what is held, and holds nothing any more.
func (s *heldStore) release() {
	s.mu.Lock()
	s.holding = false
	if s.telling {
		s.mu.Unlock()
		return
	}
	s.telling = true
	s.mu.Unlock()
	s.tellAll()
}

// fail makes commits fail from now on; nil makes them succeed again.
func (s *heldStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}
