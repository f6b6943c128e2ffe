package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/shrink"
	"github.com/goparty-dev/party/runtime/storage"
)

// Migrate takes the store through those of the known migrations that it has not
// been through, and returns how many these were. It is for platforms that outlive the code
// that has recorded them; others migrate the store before New.
//
// If rooms are to be moved or deleted, the platform has no host afterwards: rooms
// leave the present one first, and events wait for the next SetHost. Sockets of parties that
// are gone are closed with 1012.
func (p *Platform) Migrate(ctx context.Context, known []storage.Migration) (int, error) {
	applied, err := p.store.Applied(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	todo, err := storage.Unapplied(applied, known)
	if err != nil {
		return 0, err
	}
	if !storage.Moves(todo) {
		return p.store.Migrate(ctx, known)
	}
	p.SetHost(nil)
	p.leaveParties(todo)
	n, err := p.migrateIdle(ctx, known)
	if err != nil {
		return 0, err
	}
	p.clock.reset()
	return n, p.loadAlarms()
}

// migrateIdle migrates the store as soon as all rooms have left it. Without a host none is woken.
func (p *Platform) migrateIdle(ctx context.Context, known []storage.Migration) (n int, err error) {
	waited := p.drained(ctx, func() bool {
		p.evictAll()
		n, err = p.store.Migrate(ctx, known)
		return !errors.Is(err, storage.ErrClaimed)
	})
	return n, errors.Join(waited, err)
}

func (p *Platform) evictAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rooms.All() {
		r.mu.Lock()
		r.evict()
		r.mu.Unlock()
	}
}

// leaveParties closes the sockets of parties that will not be there any more.
func (p *Platform) leaveParties(todo []storage.Migration) {
	var gone []string
	for _, m := range todo {
		for _, r := range m.Renamed {
			gone = append(gone, r.From)
		}
		gone = append(gone, m.Deleted...)
	}
	for _, s := range p.openSessions() {
		if slices.Contains(gone, s.room.key.Party) {
			s.room.mu.Lock()
			s.shut(websocket.CloseServiceRestart, "the party has been renamed or deleted")
			s.room.mu.Unlock()
		}
	}
}

// reset forgets all alarms.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = nil
	c.byKey = shrink.Map[storage.Room, *alarm]{}
}
