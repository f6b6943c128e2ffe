package sqlite_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goparty-dev/party/runtime/storage"
)

// TestNothingStays counts the rows of rooms that hold nothing.
func TestNothingStays(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	n := visit(t, dir)
	fence := claim(t, s, lobby)
	set := storage.Commit{Alarm: storage.SetAlarm, AlarmAt: noon}
	for _, step := range []struct {
		name   string
		commit storage.Commit
		rows   string
	}{
		{"claim", storage.Commit{}, "0"},
		{"delete nothing", storage.Commit{Clear: true, Ops: []storage.Op{{Key: "a", Delete: true}}, Alarm: storage.ClearAlarm}, "0"},
		{"put", storage.Commit{Ops: []storage.Op{put("a", "1"), put("b", "1")}}, "1"},
		{"delete one of two", storage.Commit{Ops: []storage.Op{{Key: "a", Delete: true}}}, "1"},
		{"delete the last", storage.Commit{Ops: []storage.Op{{Key: "b", Delete: true}}}, "0"},
		{"put and delete", storage.Commit{Ops: []storage.Op{put("a", "1"), {Key: "a", Delete: true}}}, "0"},
		{"alarm", set, "1"},
		{"put beside an alarm", storage.Commit{Ops: []storage.Op{put("a", "1")}}, "1"},
		{"clear beside an alarm", storage.Commit{Clear: true}, "1"},
		{"clear the alarm", storage.Commit{Alarm: storage.ClearAlarm}, "0"},
		{"put again", storage.Commit{Ops: []storage.Op{put("a", "1")}}, "1"},
		{"set the alarm", set, "1"},
		{"clear the alarm only", storage.Commit{Alarm: storage.ClearAlarm}, "1"},
		{"clear and put", storage.Commit{Clear: true, Ops: []storage.Op{put("b", "1")}}, "1"},
		{"clear", storage.Commit{Clear: true}, "0"},
	} {
		step.commit.Room, step.commit.Fence = lobby, fence
		commit(t, s, step.commit)
		got := n.rows(`SELECT count(*) FROM rooms`)
		if diff := cmp.Diff(got, [][]string{{step.rows}}); diff != "" {
			t.Errorf("%s: number of rooms differs (-got +want):\n%s", step.name, diff)
		}
	}
}

// TestShell reads a store in use as a person would.
func TestShell(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	n := visit(t, dir)
	game := storage.Room{Party: "game", Name: "Tisch 1 ♠"}
	commit(t, s, storage.Commit{Room: game, Fence: claim(t, s, game), Ops: []storage.Op{put("score", `{"ada":3}`)},
		Alarm: storage.SetAlarm, AlarmAt: noon})
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("b", "2"), put("a", `"é"`)}})
	for query, want := range map[string][][]string{
		`SELECT party, room, key, value, typeof(value) FROM storage ORDER BY 1, 2, 3`: {
			{"chat", "lobby", "a", `"é"`, "text"}, {"chat", "lobby", "b", "2", "text"}, {"game", "Tisch 1 ♠", "score", `{"ada":3}`, "text"},
		},
		`SELECT json_extract(value, '$.ada') FROM storage WHERE room LIKE 'Tisch%' AND key = 'score'`: {{"3"}},
		`SELECT name, datetime(alarm / 1000, 'unixepoch') FROM rooms WHERE alarm IS NOT NULL`:         {{"Tisch 1 ♠", "2030-06-01 12:00:00"}},
		`SELECT value FROM meta WHERE key = 'schema'`:                                                 {{"2"}},
		`PRAGMA journal_mode`:    {{"wal"}},
		`PRAGMA integrity_check`: {{"ok"}},
	} {
		if diff := cmp.Diff(n.rows(query), want); diff != "" {
			t.Errorf("%s differs (-got +want):\n%s", query, diff)
		}
	}
}
