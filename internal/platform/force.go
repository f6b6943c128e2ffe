package platform

import (
	"context"
	"fmt"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// Hibernate drops a room from memory as if it had been idle for long, and
// returns when that is done. Running turns end first. A room that is not in memory is no error.
func (p *Platform) Hibernate(ctx context.Context, key storage.Room) error {
	p.mu.Lock()
	r := p.rooms.Get(key)
	if r != nil {
		r.use()
	}
	p.mu.Unlock()
	if r == nil {
		return nil
	}
	defer r.unuse()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.evict()
	for r.phase == leaving {
		if err := r.change(ctx); err != nil {
			return fmt.Errorf("hibernate room %s: %w", key, err)
		}
	}
	return nil
}

// FireAlarm delivers a room's alarm now, whenever it is due, and returns when
// its turn has ended or given itself up. It reports whether one was set.
func (p *Platform) FireAlarm(ctx context.Context, key storage.Room) (bool, error) {
	at, ok := p.clock.take(key)
	if !ok {
		return false, nil
	}
	rt, err := p.routing(ctx)
	if err != nil {
		return false, err
	}
	r := p.room(key, rt.parties[key.Party])
	defer r.unuse()
	return true, r.deliver(ctx, &link.Event{Kind: link.Alarm, Seq: r.seq.Add(1), At: at})
}

// take removes a room's alarm from the queue, as if it were being delivered.
func (c *clock) take(key storage.Room) (at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.byKey.Get(key)
	if a == nil || a.place < 0 {
		return time.Time{}, false
	}
	c.unschedule(a)
	return a.at, true
}
