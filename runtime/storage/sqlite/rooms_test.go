package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// storeIn stores entries in a room.
func storeIn(t *testing.T, s storage.Store, room storage.Room, alarm time.Time, entries ...storage.Op) {
	t.Helper()
	claim, err := s.Claim(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	c := storage.Commit{Room: room, Fence: claim.Fence, Ops: entries}
	if !alarm.IsZero() {
		c.Alarm, c.AlarmAt = storage.SetAlarm, alarm
	}
	done := make(chan error, 1)
	s.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRooms(t *testing.T) {
	path := file(t.TempDir())
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lobby, alarmed, other := storage.Room{Party: "chat", Name: "lobby"}, storage.Room{Party: "chat", Name: "a"}, storage.Room{Party: "user", Name: "ada"}
	storeIn(t, s, lobby, time.Time{}, put("ä", "12"), put("b", "\x00\xff\x00"))
	storeIn(t, s, alarmed, noon)
	storeIn(t, s, other, time.Time{}, put("k", ""))
	// The store stays in use.
	for party, want := range map[string][]sqlite.Stored{
		"":     {{Room: alarmed, Alarm: noon}, {Room: lobby, Entries: 2, Bytes: 2 + 2 + 1 + 3}, {Room: other, Entries: 1, Bytes: 1}},
		"user": {{Room: other, Entries: 1, Bytes: 1}},
		"none": nil,
	} {
		var got []sqlite.Stored
		if err := sqlite.Rooms(t.Context(), path, party, func(r sqlite.Stored) error { got = append(got, r); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, want, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("rooms of %q (-got +want):\n%s", party, diff)
		}
	}
	stop := errors.New("enough")
	if err := sqlite.Rooms(t.Context(), path, "", func(sqlite.Stored) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want what the function has returned", err)
	}
}

func TestReadRoom(t *testing.T) {
	path := file(t.TempDir())
	read := func(ctx context.Context, room storage.Room) (alarm time.Time, entries []storage.Entry, err error) {
		err = sqlite.ReadRoom(ctx, path, room, func(at time.Time) error { alarm = at; return nil }, func(e storage.Entry) error { entries = append(entries, e); return nil })
		return alarm, entries, err
	}
	room := storage.Room{Party: "chat", Name: "lobby"}
	if _, _, err := read(t.Context(), room); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a store: %v", err)
	}
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storeIn(t, s, room, noon, put("\x00field/n", "1"), put("a", "\x00\xff"), put("z", ""))
	storeIn(t, s, storage.Room{Party: "chat", Name: "other"}, time.Time{}, put("a", "other"))
	alarm, entries, err := read(t.Context(), room)
	if err != nil || !alarm.Equal(noon) {
		t.Fatalf("got alarm %v, %v", alarm, err)
	}
	want := []storage.Entry{{Key: "\x00field/n", Value: []byte("1")}, {Key: "a", Value: []byte("\x00\xff")}, {Key: "z", Value: []byte{}}}
	if diff := cmp.Diff(entries, want); diff != "" {
		t.Errorf("entries (-got +want):\n%s", diff)
	}
	if _, _, err := read(t.Context(), storage.Room{Party: "chat", Name: "none"}); !errors.Is(err, sqlite.ErrNoRoom) {
		t.Errorf("a room of which nothing is stored: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, _, err := read(ended, room); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
	damaged := filepath.Join(t.TempDir(), "party.db")
	if err := os.WriteFile(damaged, []byte("no database at all, far from it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.ReadRoom(t.Context(), damaged, room, nil, nil); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("a damaged store: %v", err)
	}
}
