package platform

import (
	"context"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// seat is one instance's place in its room.
type seat struct {
	room  *room
	host  link.Host
	inst  link.Room // set before the seat is live
	fence storage.Fence
	empty bool // nothing was stored of the room when the seat was taken

	dead bool // a commit failed: what the instance believes is not so. Guarded by room.mu
}

var _ link.Seat = (*seat)(nil)

// crashed reports whether the seat's host has died, as opposed to having let the room go.
func (s *seat) crashed() bool { return gone(s.host) }

// Apply implements link.Seat.
func (s *seat) Apply(b *link.Batch) {
	r := s.room
	r.mu.Lock()
	if r.seat != s {
		r.mu.Unlock()
		b.Free()
		return
	}
	if b.Consumed != 0 && b.Consumed == r.suspect {
		r.acquit()
	}
	if b.Consumed != 0 && len(r.tracked) > 0 {
		r.consumed(b.Consumed)
	}
	if s.dead { // a turn that was running when its room was reset
		for n := range b.Effects {
			r.owed(&b.Effects[n])
		}
		r.mu.Unlock()
		b.Free()
		return
	}
	if !b.Writes() && r.gate.open() {
		for n := range b.Effects {
			r.perform(&b.Effects[n])
		}
		r.mu.Unlock()
		b.Free()
		return
	}
	commit := r.hold(s, b)
	r.mu.Unlock()
	if commit != nil {
		r.p.store.Commit(commit.Commit, commit.settled)
	}
}

// Get implements link.Seat.
func (s *seat) Get(ctx context.Context, keys []string) (map[string][]byte, error) {
	return s.room.p.store.Get(ctx, s.room.key, keys)
}

// List implements link.Seat.
func (s *seat) List(ctx context.Context, r storage.Range) ([]storage.Entry, error) {
	return s.room.p.store.List(ctx, s.room.key, r)
}

// Sync implements link.Seat.
func (s *seat) Sync(ctx context.Context) error {
	r := s.room
	r.mu.Lock()
	if r.seat != s || s.dead {
		r.mu.Unlock()
		return storage.ErrFenced
	}
	var settled <-chan error
	switch {
	case !r.gate.open():
		settled = r.gate.wait()
		r.mu.Unlock()
	case r.loose > 0:
		r.mu.Unlock()
		c := make(chan error, 1)
		r.p.store.Sync(r.key, func(err error) { c <- err })
		settled = c
	default:
		r.mu.Unlock()
		return nil
	}
	select {
	case err := <-settled:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Fetch implements link.Seat.
func (s *seat) Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	return s.room.p.fetch(ctx, target, r)
}

// Asset implements link.Seat.
func (s *seat) Asset(_ context.Context, name string) ([]byte, error) {
	return s.room.p.assets.Read(name)
}

// Release implements link.Seat.
func (s *seat) Release(left []*link.Event) { s.room.released(s, left) }
