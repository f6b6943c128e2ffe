package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// logged is how many turns the log of a room keeps.
const logged = 50

func alarmOf(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func logKey(n int) string { return fmt.Sprintf("log/%09d", n) }

// withLog adds the turn to the log, of which it drops the oldest. The entries differ in
// length, to make pages split.
func withLog(c storage.Commit, n int) storage.Commit {
	c.Ops = append(c.Ops, put(logKey(n), strings.Repeat(".", n*37%900)), storage.Op{Key: logKey(n - logged), Delete: true})
	return c
}

// lastTurn returns the newest turn in a room, 0 for none, if all that is
// in the room fits it.
func lastTurn(s storage.Store, room storage.Room) (int, error) {
	entries, err := s.List(context.Background(), room, storage.Range{})
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	last, err := strconv.Atoi(string(entries[0].Value))
	if err != nil {
		return 0, err
	}
	want := crashTurn(room, 0, last).Ops[:4]
	for n := max(1, last-logged+1); n <= last; n++ {
		want = append(want, withLog(storage.Commit{}, n).Ops[0])
	}
	if len(entries) != len(want) {
		return 0, fmt.Errorf("room %q has %d entries after turn %d, want %d", room, len(entries), last, len(want))
	}
	for i, e := range entries {
		if e.Key != want[i].Key || string(e.Value) != string(want[i].Value) {
			return 0, fmt.Errorf("room %q has %q at %q after turn %d, want %q at %q", room, e.Value, e.Key, last, want[i].Value, want[i].Key)
		}
	}
	return last, nil
}

// TestKill kills a process that acknowledges what it has written, at random
// points, and looks for what it has acknowledged.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := make(map[string]int)
	begun := time.Now()
	rounds := 0
	for ; rounds < 4 || rounds < 25 && time.Since(begun) < 4*time.Second; rounds++ {
		after := rand.IntN(500)
		if rounds%5 == 4 {
			after = rand.IntN(3) // while it starts
		}
		c := spawn(t, "write", dir)
		if after == 0 {
			c.kill()
		}
		for n := 1; c.lines.Scan(); n++ {
			if n == after {
				c.kill()
			}
			room, number, _ := strings.Cut(c.lines.Text(), " ")
			turn, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("the child wrote %q", c.lines.Text())
			}
			acknowledged[room] = max(acknowledged[room], turn)
		}
		if err := c.cmd.Wait(); err == nil || c.cmd.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		checkAfterKill(t, dir, acknowledged)
	}
	t.Logf("%d rounds, acknowledged: %v", rounds, acknowledged)
}

// checkAfterKill opens the store, as the process after the one that was killed.
func checkAfterKill(t *testing.T, dir string, acknowledged map[string]int) {
	t.Helper()
	s, err := sqlite.Open(file(dir), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range crashRooms {
		last, err := lastTurn(s, room)
		if err != nil {
			t.Fatal(err)
		}
		if last < acknowledged[room.String()] {
			t.Fatalf("room %q is at turn %d, and %d was acknowledged", room, last, acknowledged[room.String()])
		}
		c, err := s.Claim(context.Background(), room)
		if err != nil {
			t.Fatal(err)
		}
		if last > 0 && !c.Alarm.Equal(alarmOf(last)) {
			t.Fatalf("room %q has the alarm %v after turn %d, want %v", room, c.Alarm, last, alarmOf(last))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
