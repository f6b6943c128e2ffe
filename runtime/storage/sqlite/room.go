package sqlite

import (
	"context"
	"fmt"

	"github.com/goparty-dev/party/runtime/storage"
)

// room is what the store remembers of a room that has an owner or pending
// commits. Of other rooms it remembers nothing.
type room struct {
	// guarded by Store.mu
	fence    storage.Fence // of the owner; 0 for none
	accepted uint64        // number of the newest commit
	dead     uint64        // commits up to this one fail unless they are settled
	pending  int           // commits that are not settled
	overlay  overlay       // what they change
	drained  chan struct{} // closed when none is pending; nil when nobody waits for that

	// owned by the committer
	row int64 // id of the row in rooms; 0 when there is none or it is not known
}

// Claim implements [storage.Store].
func (s *Store) Claim(ctx context.Context, addr storage.Room) (storage.Claim, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return storage.Claim{}, storage.ErrClosed
	}
	r := s.rooms.Get(addr)
	if r == nil {
		r = new(room)
		s.rooms.Set(addr, r)
	}
	s.claims++
	fence := s.base + storage.Fence(s.claims)
	r.fence = fence
	var drained chan struct{}
	if r.pending > 0 {
		if r.drained == nil {
			r.drained = make(chan struct{})
		}
		drained = r.drained
	}
	s.mu.Unlock()

	// What the last owner has written must be there, or be gone, before the next one looks.
	if drained != nil {
		select {
		case <-drained:
		case <-ctx.Done():
			s.Release(addr, fence)
			return storage.Claim{}, ctx.Err()
		}
	}
	claim, err := s.stored(ctx, addr)
	if err != nil {
		s.Release(addr, fence)
		return storage.Claim{}, fmt.Errorf("claim room %q: %w", addr, err)
	}
	claim.Fence = fence
	return claim, nil
}

// Release implements [storage.Store].
func (s *Store) Release(addr storage.Room, fence storage.Fence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms.Get(addr); r != nil && r.fence == fence {
		r.fence = 0
		s.forget(addr, r)
	}
}

// forget drops a room that nobody owns and nothing is pending in. The caller holds mu.
func (s *Store) forget(addr storage.Room, r *room) {
	if r.fence == 0 && r.pending == 0 {
		s.rooms.Delete(addr)
	}
}

// bury gives up every pending commit of the room, and its owner with them. The caller
// holds mu.
func (r *room) bury(fence storage.Fence) {
	r.dead = r.accepted
	r.overlay = overlay{}
	// A later owner has not written yet: it waits for its claim.
	if r.fence == fence {
		r.fence = 0
	}
}
