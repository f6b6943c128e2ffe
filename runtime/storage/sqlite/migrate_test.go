package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

var known = []storage.Migration{
	{Tag: "v1", New: []string{"chat"}},
	{Tag: "v2", Renamed: []storage.Rename{{From: "chat", To: "talk"}}},
}

// TestMigrationsLast looks at them from outside, and from the next process.
func TestMigrationsLast(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.Look(file(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Look without a file: got error %v, want %v", err, fs.ErrNotExist)
	}
	s := open(t, dir)
	fence := claim(t, s, lobby)
	commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", "1")}})
	s.Release(lobby, fence)
	look := func(want sqlite.Survey) {
		t.Helper()
		got, err := sqlite.Look(file(dir))
		if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("Look() = %v, -got +want:\n%s", err, diff)
		}
	}
	look(sqlite.Survey{Rooms: map[string]int{"chat": 1}})
	if n, err := s.Migrate(context.Background(), known); n != 2 || err != nil {
		t.Fatalf("Migrate() = %d, %v", n, err)
	}
	want := sqlite.Survey{Applied: []string{"v1", "v2"}, Rooms: map[string]int{"talk": 1}}
	look(want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look(want)
	if _, err := s.Migrate(context.Background(), known); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("Migrate() on a closed store = %v", err)
	}
	if n, err := open(t, dir).Migrate(context.Background(), known); n != 0 || err != nil {
		t.Errorf("Migrate() again = %d, %v", n, err)
	}
}

// TestFirstSchema opens a store of before there were migrations.
func TestFirstSchema(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "1")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	visit(t, dir).do(`DROP TABLE migrations; UPDATE meta SET value = 1 WHERE key = 'schema';`)
	got, err := sqlite.Look(file(dir))
	if diff := cmp.Diff(got, sqlite.Survey{Rooms: map[string]int{"chat": 1}}); err != nil || diff != "" {
		t.Errorf("Look() = %v, -got +want:\n%s", err, diff)
	}
	s = open(t, dir)
	if n, err := s.Migrate(context.Background(), known); n != 2 || err != nil {
		t.Errorf("Migrate() = %d, %v", n, err)
	}
	holds(t, s, storage.Room{Party: "talk", Name: lobby.Name}, map[string]string{"a": "1"})
}
