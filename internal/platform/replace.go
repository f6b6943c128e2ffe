package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/storage"
)

// Errors of Replace.
var (
	// ErrHasData says that a room has entries or an alarm.
	ErrHasData = errors.New("the room has data")
	// ErrNoParty says that there is no such party.
	ErrNoParty = errors.New("there is no such party")
	// ErrRoomName says that no room can be called so.
	ErrRoomName = fmt.Errorf("a room's name is valid UTF-8 of 1 to %d bytes", manifest.DefaultLimits().RoomNameBytes)
	errHeld     = errors.New("somebody else is replacing it")
)

// Replacement is what a room is to have stored.
type Replacement struct {
	Entries []storage.Entry
	Alarm   time.Time // zero for none
	Force   bool      // in the place of what there is
}

// Replace makes entries and an alarm all that a room has stored, atomically, and returns when that is durable. The
// room leaves memory first, as in a hand-over: its running turns end, its sockets stay, what arrives
// meanwhile waits and then meets an instance that finds the new data. Without Force it
// fails with ErrHasData if the room has any. If ctx ends, nothing or everything has happened.
func (p *Platform) Replace(ctx context.Context, key storage.Room, with Replacement) error {
	if err := p.replace(ctx, key, with); err != nil {
		return fmt.Errorf("replace room %s: %w", key, err)
	}
	return nil
}

func (p *Platform) replace(ctx context.Context, key storage.Room, with Replacement) error {
	// The clock and the store have to mean the same moment.
	with.Alarm = with.Alarm.Truncate(time.Millisecond)
	rt, err := p.routing(ctx)
	if err != nil {
		return err
	}
	party, ok := rt.parties[key.Party]
	if !ok || key.Party == link.SocketParty {
		return ErrNoParty
	}
	if !with.Force {
		// A room that has data need not leave memory for the answer.
		if there, err := p.store.List(ctx, key, storage.Range{Limit: 1}); err != nil || len(there) > 0 {
			return cmp.Or(err, ErrHasData)
		}
	}
	r := p.room(key, party)
	defer r.unuse()
	if err := r.keepOut(ctx); err != nil {
		return err
	}
	defer r.letGo()
	if err := ReplaceStored(ctx, p.store, key, with); err != nil {
		return err
	}
	if with.Alarm.IsZero() {
		p.clock.clear(key)
	} else {
		p.clock.set(key, with.Alarm)
	}
	return nil
}

// ReplaceStored is Replace for a store that no platform uses.
func ReplaceStored(ctx context.Context, store storage.Store, key storage.Room, with Replacement) error {
	if n := len(key.Name); n == 0 || n > manifest.DefaultLimits().RoomNameBytes || !utf8.ValidString(key.Name) {
		return ErrRoomName
	}
	claim, err := store.Claim(ctx, key)
	if err != nil {
		return err
	}
	defer store.Release(key, claim.Fence)
	if !with.Force {
		there, err := store.List(ctx, key, storage.Range{Limit: 1})
		if err != nil {
			return err
		}
		if len(there) > 0 || !claim.Alarm.IsZero() {
			return ErrHasData
		}
	}
	c := storage.Commit{Room: key, Fence: claim.Fence, Clear: true, Alarm: storage.ClearAlarm}
	for _, e := range with.Entries {
		c.Ops = append(c.Ops, storage.Op{Key: e.Key, Value: e.Value})
	}
	if !with.Alarm.IsZero() {
		c.Alarm, c.AlarmAt = storage.SetAlarm, with.Alarm
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	durable := make(chan error, 1)
	store.Commit(c, func(err error) { durable <- err })
	return <-durable // it happens, whoever still waits
}

// keepOut takes the room out of memory and keeps it out until letGo.
func (r *room) keepOut(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held {
		return errHeld
	}
	r.held = true
	for r.phase != asleep {
		r.evict()
		if err := r.change(ctx); err != nil {
			r.held = false
			return err
		}
	}
	if r.gate.open() {
		return nil
	}
	// What the last instance has sent passes the gate before anybody sees what comes instead.
	passed := r.gate.wait()
	r.mu.Unlock()
	select {
	case <-passed:
	case <-ctx.Done():
	}
	r.mu.Lock()
	if err := ctx.Err(); err != nil {
		r.held = false
		r.enterPhase(asleep) // for those who wait
		return err
	}
	return nil
}

// letGo lets the room have instances again.
func (r *room) letGo() {
	r.mu.Lock()
	r.held = false
	r.enterPhase(asleep)
	again := r.returns()
	if !again {
		r.moved()
	}
	r.mu.Unlock()
	if again {
		r.comeBack()
	}
}
