package sqlite

import (
	"github.com/goparty-dev/party/runtime/storage"
)

// item is one call to Commit or Sync on its way to its callback. Every call
// takes the same way, refused ones too, so that callbacks keep their order.
type item struct {
	room   *room  // nil when nothing can go wrong any more
	number uint64 // of the commit; of the newest one before, for a sync
	write  bool   // a commit that was accepted
	commit storage.Commit
	task   func(*writer) error // instead of a commit
	done   func(error)
	err    error
}

// Commit implements [storage.Store].
func (s *Store) Commit(c storage.Commit, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.Get(c.Room)
	switch {
	case s.closed:
		s.refuse(done)
	case r == nil || c.Fence == 0 || r.fence != c.Fence:
		s.enqueue(item{done: done, err: storage.ErrFenced})
	default:
		r.accepted++
		r.pending++
		r.overlay.add(&c, r.accepted)
		s.enqueue(item{room: r, number: r.accepted, write: true, commit: c, done: done})
	}
}

// Sync implements [storage.Store].
func (s *Store) Sync(addr storage.Room, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.refuse(done)
		return
	}
	i := item{done: done}
	if r := s.rooms.Get(addr); r != nil && r.pending > 0 {
		i.room, i.number = r, r.accepted
	}
	s.enqueue(i)
}

// refuse answers a call on a closed store, after those that came before it.
func (s *Store) refuse(done func(error)) {
	go func() {
		<-s.settled
		done(storage.ErrClosed)
	}()
}

// enqueue adds to the queue. The caller holds mu.
func (s *Store) enqueue(i item) {
	s.queue = append(s.queue, i)
	if len(s.queue) == 1 {
		s.wake.Signal()
	}
}

// take waits for items and returns all there are; none when the store is
// closed and everything has been taken.
func (s *Store) take() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.wake.Wait()
	}
	group := s.queue
	s.queue, s.spare = s.spare, nil
	for i := range group {
		group[i].fail()
	}
	return group
}

// fail fails the item if an earlier commit of its room has failed since it was accepted.
func (i *item) fail() {
	if i.room != nil && i.number <= i.room.dead {
		i.err = storage.ErrFenced
	}
}
