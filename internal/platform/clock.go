package platform

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/shrink"
	"github.com/goparty-dev/party/runtime/storage"
)

// clock knows the durable alarms of all rooms and says when one is due.
type clock struct {
	due func(key storage.Room, at time.Time, attempt int) // must not block

	mu    sync.Mutex
	byKey shrink.Map[storage.Room, *alarm]
	queue alarms
	woken chan struct{} // the earliest alarm has changed
}

// alarm is one room's alarm.
type alarm struct {
	key     storage.Room
	at      time.Time // what the room asked for
	next    time.Time // when to deliver it: at, or later after a failure
	attempt int
	place   int // in the queue, -1 outside: delivered, and not settled
}

// firstRetry is how long after its first failure an alarm is tried again; it doubles each time.
const firstRetry = 2 * time.Second

func newClock(due func(storage.Room, time.Time, int)) *clock {
	return &clock{due: due, woken: make(chan struct{}, 1)}
}

// set makes an alarm due at the given time, in place of the room's earlier one.
func (c *clock) set(key storage.Room, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.byKey.Get(key)
	if a == nil {
		a = &alarm{key: key, place: -1}
		c.byKey.Set(key, a)
	}
	a.at, a.next, a.attempt = at, at, 0
	c.schedule(a)
}

// clear removes a room's alarm.
func (c *clock) clear(key storage.Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.byKey.Get(key); a != nil {
		c.unschedule(a)
		c.byKey.Delete(key)
	}
}

// retry delivers an alarm again, later.
func (c *clock) retry(key storage.Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.byKey.Get(key)
	if a == nil || a.place >= 0 {
		return // cleared, or set anew
	}
	a.next = time.Now().Add(firstRetry << a.attempt)
	a.attempt++
	c.schedule(a)
}

func (c *clock) schedule(a *alarm) {
	if a.place >= 0 {
		heap.Fix(&c.queue, a.place)
	} else {
		heap.Push(&c.queue, a)
	}
	if a.place == 0 {
		select {
		case c.woken <- struct{}{}:
		default:
		}
	}
}

func (c *clock) unschedule(a *alarm) {
	if a.place >= 0 {
		heap.Remove(&c.queue, a.place)
	}
}

// run calls due for alarms until ctx ends.
func (c *clock) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(c.fire())
		select {
		case <-timer.C:
		case <-c.woken:
		case <-ctx.Done():
			return
		}
	}
}

// fire delivers what is due and returns how long nothing else will be.
func (c *clock) fire() time.Duration {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.mu.Unlock()
			return time.Hour
		}
		if wait := time.Until(c.queue[0].next); wait > 0 {
			c.mu.Unlock()
			return wait
		}
		a := heap.Pop(&c.queue).(*alarm)
		key, at, attempt := a.key, a.at, a.attempt
		c.mu.Unlock()
		c.due(key, at, attempt)
	}
}

// alarms is a heap, earliest first.
type alarms []*alarm

func (q alarms) Len() int           { return len(q) }
func (q alarms) Less(i, j int) bool { return q[i].next.Before(q[j].next) }
func (q alarms) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}
func (q *alarms) Push(x any) {
	a := x.(*alarm)
	a.place = len(*q)
	*q = append(*q, a)
}
func (q *alarms) Pop() any {
	old := *q
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	a.place = -1
	return a
}

// alarmPage is how many alarms are loaded at a time.
const alarmPage = 1000

// loadAlarms tells the clock what the store has.
func (p *Platform) loadAlarms() error {
	var after storage.Alarm
	for {
		page, err := p.store.Alarms(p.ctx, after, alarmPage)
		if err != nil {
			return fmt.Errorf("load alarms: %w", err)
		}
		for _, a := range page {
			p.clock.set(a.Room, a.At)
		}
		if len(page) < alarmPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// alarmDue wakes a room for its alarm.
func (p *Platform) alarmDue(key storage.Room, at time.Time, attempt int) {
	if p.closing.Load() {
		return // it is durable, the next start finds it
	}
	p.background.Go(func() {
		rt, err := p.routing(p.ctx)
		if err != nil {
			return
		}
		party, ok := rt.parties[key.Party]
		if !ok {
			p.log.Warn("an alarm is due in a party that does not exist", "party", key.Party, "room", key.Name)
			p.clock.retry(key) // it may be back after the next reload
			return
		}
		r := p.room(key, party)
		defer r.unuse()
		ev := &link.Event{Kind: link.Alarm, Seq: r.seq.Add(1), At: at, Attempt: attempt}
		if err := r.deliver(p.ctx, ev); err != nil && p.ctx.Err() == nil {
			p.log.Error("alarm not delivered", "party", key.Party, "room", key.Name, "err", err)
			p.clock.retry(key)
		}
	})
}
