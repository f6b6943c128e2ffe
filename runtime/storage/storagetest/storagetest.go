// Package storagetest is the suite that every storage engine passes. It sees an
// engine through its contract only; what an engine does about full disks,
// damaged files and the like is tested beside it.
package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/goparty-dev/party/runtime/storage"
)

// patience is how long to wait for what must happen.
const patience = 30 * time.Second

// Run tests an engine. open returns a new, empty store; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"Fences", testFences},
		{"Empty", testEmpty},
		{"ClaimWhilePending", testClaimWhilePending},
		{"ClaimLeavesNothing", testClaimLeavesNothing},
		{"Release", testRelease},
		{"CancelledContext", testCancelledContext},
		{"Values", testValues},
		{"Ops", testOps},
		{"RoomsAreApart", testRoomsAreApart},
		{"Lists", testLists},
		{"RandomLists", testRandomLists},
		{"Histories", testHistories},
		{"AlarmChanges", testAlarmChanges},
		{"AlarmListing", testAlarmListing},
		{"Migrations", testMigrations},
		{"MigrationOrder", testMigrationOrder},
		{"MigrationRefused", testMigrationRefused},
		{"CallbackOrder", testCallbackOrder},
		{"CallbackMayCommit", testCallbackMayCommit},
		{"Sync", testSync},
		{"CloseSettles", testCloseSettles},
		{"UseAfterClose", testUseAfterClose},
		{"WholeTurns", testWholeTurns},
		{"ManyRooms", testManyRooms},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, start(t, open(t))) })
	}
}

// store is a store under test.
type store struct {
	storage.Store
	t *testing.T
}

func start(t *testing.T, s storage.Store) *store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, storage.ErrClosed) {
			t.Errorf("Close() = %v", err)
		}
	})
	return &store{s, t}
}

// claim claims a room.
func (s *store) claim(room storage.Room) storage.Claim {
	s.t.Helper()
	c, err := s.Claim(context.Background(), room)
	if err != nil {
		s.t.Fatalf("Claim(%q) = %v", room, err)
	}
	if c.Fence == 0 {
		s.t.Fatalf("Claim(%q) gave the fence 0", room)
	}
	return c
}

// begin commits and returns where the outcome will be.
func (s *store) begin(c storage.Commit) <-chan error {
	done := make(chan error, 2)
	s.Commit(c, func(err error) { done <- err })
	return done
}

// outcome waits for what a callback is given.
func (s *store) outcome(done <-chan error) error {
	s.t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		s.t.Fatal("a callback was not called")
		return nil
	}
}

// commit commits and waits until that is durable.
func (s *store) commit(c storage.Commit) {
	s.t.Helper()
	if err := s.outcome(s.begin(c)); err != nil {
		s.t.Fatalf("Commit(%+v): %v", c, err)
	}
}

// refused commits and wants to be refused.
func (s *store) refused(c storage.Commit) {
	s.t.Helper()
	if err := s.outcome(s.begin(c)); !errors.Is(err, storage.ErrFenced) {
		s.t.Fatalf("Commit(%+v): got error %v, want %v", c, err, storage.ErrFenced)
	}
}

// sync waits until everything accepted in the room is settled.
func (s *store) sync(room storage.Room) {
	s.t.Helper()
	done := make(chan error, 2)
	s.Sync(room, func(err error) { done <- err })
	if err := s.outcome(done); err != nil {
		s.t.Fatalf("Sync(%q): %v", room, err)
	}
}

// list lists a range.
func (s *store) list(room storage.Room, r storage.Range) []storage.Entry {
	s.t.Helper()
	entries, err := s.List(context.Background(), room, r)
	if err != nil {
		s.t.Fatalf("List(%q, %+v) = %v", room, r, err)
	}
	return entries
}

// get gets values, which are easier to compare as text.
func (s *store) get(room storage.Room, keys ...string) map[string]string {
	s.t.Helper()
	values, err := s.Get(context.Background(), room, keys)
	if err != nil {
		s.t.Fatalf("Get(%q, %q) = %v", room, keys, err)
	}
	texts := make(map[string]string, len(values))
	for k, v := range values {
		texts[k] = string(v)
	}
	return texts
}

// holds compares everything in a room, by both ways to read it.
func (s *store) holds(room storage.Room, want map[string]string) {
	s.t.Helper()
	got := make(map[string]string)
	for _, e := range s.list(room, storage.Range{}) {
		got[e.Key] = string(e.Value)
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		s.t.Fatalf("List(%q) differs (-got +want):\n%s", room, diff)
	}
	var keys []string
	for k := range want {
		keys = append(keys, k)
	}
	if diff := cmp.Diff(s.get(room, append(keys, "no such key")...), want, cmpopts.EquateEmpty()); diff != "" {
		s.t.Fatalf("Get(%q, %q) differs (-got +want):\n%s", room, keys, diff)
	}
}

// put is a write.
func put(key, value string) storage.Op { return storage.Op{Key: key, Value: []byte(value)} }

// del is a removal.
func del(key string) storage.Op { return storage.Op{Key: key, Delete: true} }

// lobby is a room.
var lobby = storage.Room{Party: "chat", Name: "lobby"}
