package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// Check looks at a store that was opened after a crash at the given mark: everything that was
// acknowledged by then is there, in the order in which it was committed, and no part of a commit
// or a migration without the rest; every fence is greater than those before. It claims rooms.
func (h *History) Check(s storage.Store, at int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	phases, err := h.possible(s, at)
	if err != nil {
		return err
	}
	found, err := h.take(s, at)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range phases {
		if err = h.compare(p, found, at); err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// possible are the phases in which the store may be.
func (h *History) possible(s storage.Store, at int) ([]*phase, error) {
	tags, err := s.Applied(context.Background())
	if err != nil {
		return nil, err
	}
	for n, tag := range tags {
		if want := fmt.Sprintf("v%d", n+1); tag != want {
			return nil, fmt.Errorf("migration %d is %q, want %q", n, tag, want)
		}
	}
	least := 0
	var phases []*phase
	for _, p := range slices.Concat(h.phases, h.failed) {
		if p.done <= at {
			least = max(least, p.number)
		}
		if p.number == len(tags) && p.begun <= at && !h.gone(p.begun, p.failed, at) {
			phases = append(phases, p)
		}
	}
	if len(phases) == 0 || len(tags) < least {
		return nil, fmt.Errorf("the store has been through %d migrations, and %d were acknowledged", len(tags), least)
	}
	return phases, nil
}

// found is what a store holds of one room.
type found struct {
	entries []storage.Entry
	alarm   time.Time
}

// take reads all rooms and claims them.
func (h *History) take(s storage.Store, at int) (map[storage.Room]found, error) {
	var last storage.Fence
	for _, f := range h.fences {
		if f.mark <= at {
			last = max(last, f.fence)
		}
	}
	all := make(map[storage.Room]found)
	var alarms []storage.Alarm
	for _, party := range historyParties {
		for _, name := range historyNames {
			room := storage.Room{Party: party, Name: name}
			claim, err := s.Claim(context.Background(), room)
			if err != nil {
				return nil, err
			}
			if claim.Fence <= last {
				return nil, fmt.Errorf("room %q was given the fence %d, and %d before", room, claim.Fence, last)
			}
			entries, err := s.List(context.Background(), room, storage.Range{})
			if err != nil {
				return nil, err
			}
			all[room] = found{entries, claim.Alarm}
			if !claim.Alarm.IsZero() {
				alarms = append(alarms, storage.Alarm{Room: room, At: claim.Alarm})
			}
		}
	}
	return all, checkAlarms(s, alarms)
}

// compare compares all rooms with the states in which they may be.
func (h *History) compare(p *phase, all map[storage.Room]found, at int) error {
	for room, f := range all {
		if err := h.check(p.rooms[room], f, at); err != nil {
			return fmt.Errorf("room %q: %w", room, err)
		}
	}
	return nil
}

// gone reports whether what has failed can no more be there after a crash.
func (h *History) gone(begun, failed, at int) bool {
	return failed <= at && (h.Gone == nil || h.Gone(begun, at))
}

// check compares a room with the states in which it may be.
func (h *History) check(states []*past, f found, at int) error {
	states = slices.Insert(slices.Clone(states), 0, &past{failed: never})
	first := 0
	for n, state := range states {
		if state.acked <= at {
			first = n
		}
	}
	var wrong []string
	for n, state := range states[first:] {
		if n > 0 && (state.begun > at || h.gone(state.begun, state.failed, at)) {
			continue
		}
		err := sameEntries(f.entries, state.List(storage.Range{}))
		if err == nil && !f.alarm.Equal(state.alarm) {
			err = fmt.Errorf("the alarm is %v, want %v", f.alarm, state.alarm)
		}
		if err == nil {
			return nil
		}
		wrong = append(wrong, fmt.Sprintf("it is not as after commit %d: %v", first+n, err))
	}
	return fmt.Errorf("%d commits are acknowledged: %s", first, strings.Join(wrong, "; "))
}

func checkAlarms(s storage.Store, want []storage.Alarm) error {
	got, err := s.Alarms(context.Background(), storage.Alarm{}, 1000)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("there are %d alarms, and rooms have %d", len(got), len(want))
	}
	for _, a := range want {
		if !slices.ContainsFunc(got, func(g storage.Alarm) bool { return g.Room == a.Room && g.At.Equal(a.At) }) {
			return fmt.Errorf("the alarm of room %q at %v is not listed", a.Room, a.At)
		}
	}
	return nil
}
