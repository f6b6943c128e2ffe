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

// fill writes one entry and an alarm to a room and lets it go.
func (s *store) fill(room storage.Room, value string) {
	s.t.Helper()
	c := s.claim(room)
	s.commit(storage.Commit{
		Room: room, Fence: c.Fence, Ops: []storage.Op{put("key", value)},
		Alarm: storage.SetAlarm, AlarmAt: time.UnixMilli(1e12),
	})
	s.Release(room, c.Fence)
}

// migrate migrates and wants that to succeed.
func (s *store) migrate(n int, known ...storage.Migration) {
	s.t.Helper()
	got, err := s.Migrate(context.Background(), known)
	if err != nil || got != n {
		s.t.Fatalf("Migrate(%+v) = %d, %v, want %d", known, got, err, n)
	}
}

// applied compares the tags of applied migrations.
func (s *store) applied(want ...string) {
	s.t.Helper()
	got, err := s.Applied(context.Background())
	if err != nil {
		s.t.Fatalf("Applied() = %v", err)
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		s.t.Fatalf("Applied() differs (-got +want):\n%s", diff)
	}
}

// populated compares the rooms that have an alarm.
func (s *store) populated(want ...string) {
	s.t.Helper()
	alarms, err := s.Alarms(context.Background(), storage.Alarm{}, 100)
	if err != nil {
		s.t.Fatalf("Alarms() = %v", err)
	}
	var got []string
	for _, a := range alarms {
		got = append(got, a.Room.String())
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		s.t.Fatalf("rooms differ (-got +want):\n%s", diff)
	}
}

var (
	first    = storage.Migration{Tag: "v1", New: []string{"chat", "game"}}
	renaming = storage.Migration{Tag: "v2", Renamed: []storage.Rename{{From: "chat", To: "talk"}}}
	deleting = storage.Migration{Tag: "v3", Deleted: []string{"game"}}
)

func testMigrations(t *testing.T, s *store) {
	a, b, game := storage.Room{Party: "chat", Name: "a"}, storage.Room{Party: "chat", Name: "b"}, storage.Room{Party: "game", Name: "a"}
	s.applied()
	s.migrate(0)
	s.migrate(1, first)
	s.migrate(0, first)
	s.applied("v1")
	s.fill(a, "1")
	s.fill(b, "2")
	s.fill(game, "3")
	s.migrate(2, first, renaming, deleting)
	s.applied("v1", "v2", "v3")
	s.populated("talk/a", "talk/b")
	s.holds(storage.Room{Party: "talk", Name: "a"}, map[string]string{"key": "1"})
	s.holds(storage.Room{Party: "talk", Name: "b"}, map[string]string{"key": "2"})
	for _, gone := range []storage.Room{a, b, game} {
		s.holds(gone, nil)
		if c := s.claim(gone); !c.Alarm.IsZero() {
			t.Errorf("room %q still has an alarm", gone)
		}
	}
}

func testMigrationOrder(t *testing.T, s *store) {
	s.fill(storage.Room{Party: "a", Name: "x"}, "from a")
	s.fill(storage.Room{Party: "b", Name: "x"}, "from b")
	s.migrate(2,
		storage.Migration{Tag: "swap", Renamed: []storage.Rename{{From: "a", To: "c"}, {From: "b", To: "a"}, {From: "c", To: "b"}, {From: "b", To: "b"}}},
		storage.Migration{Tag: "end", Renamed: []storage.Rename{{From: "a", To: "z"}}, Deleted: []string{"b"}})
	s.populated("z/x")
	s.holds(storage.Room{Party: "z", Name: "x"}, map[string]string{"key": "from b"})
}

func testMigrationRefused(t *testing.T, s *store) {
	s.fill(storage.Room{Party: "chat", Name: "a"}, "1")
	s.fill(storage.Room{Party: "talk", Name: "a"}, "2")
	s.fill(storage.Room{Party: "game", Name: "a"}, "3")
	early := storage.Migration{Tag: "v1", Deleted: []string{"game"}}
	if n, err := s.Migrate(context.Background(), []storage.Migration{early, renaming}); err == nil {
		t.Errorf("moving a room onto another: %d, no error", n)
	}
	s.applied()
	s.populated("chat/a", "game/a", "talk/a")

	room := storage.Room{Party: "chat", Name: "a"}
	c := s.claim(room)
	if _, err := s.Migrate(context.Background(), []storage.Migration{deleting}); !errors.Is(err, storage.ErrClaimed) {
		t.Errorf("while a room is claimed: got error %v, want %v", err, storage.ErrClaimed)
	}
	s.migrate(1, first) // which moves nothing
	s.Release(room, c.Fence)
	if _, err := s.Migrate(context.Background(), nil); !errors.Is(err, storage.ErrMigrated) {
		t.Errorf("by a program that knows none: got error %v, want %v", err, storage.ErrMigrated)
	}
	if _, err := s.Migrate(context.Background(), []storage.Migration{deleting, first}); err == nil || errors.Is(err, storage.ErrMigrated) {
		t.Errorf("in another order: got error %v", err)
	}
	s.applied("v1")
	s.populated("chat/a", "game/a", "talk/a")
}
