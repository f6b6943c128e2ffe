package sqlite_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

// TestFailedCommit has SQLite fail in the middle of a group, in each of the ways in
// which it does: with and without undoing the transaction by itself.
func TestFailedCommit(t *testing.T) {
	for _, way := range []string{"ABORT", "FAIL", "ROLLBACK"} {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			n := visit(t, dir)
			bad, good, created := storage.Room{Party: "chat", Name: "bad"}, storage.Room{Party: "chat", Name: "good"}, storage.Room{Party: "chat", Name: "new"}
			fences := make(map[storage.Room]storage.Fence)
			for _, r := range []storage.Room{bad, good, created} {
				fences[r] = claim(t, s, r)
			}
			commit(t, s, storage.Commit{Room: bad, Fence: fences[bad], Ops: []storage.Op{put("a", "0")}})
			commit(t, s, storage.Commit{Room: good, Fence: fences[good], Ops: []storage.Op{put("a", "0")}})
			n.do(`CREATE TRIGGER boom BEFORE INSERT ON entries WHEN NEW.key = 'boom' BEGIN SELECT RAISE(` + way + `, 'the disk is on fire'); END`)

			letGo := stall(t, s, n)
			first := begin(s, storage.Commit{Room: bad, Fence: fences[bad], Ops: []storage.Op{put("a", "1")}})
			second := begin(s, storage.Commit{Room: bad, Fence: fences[bad], Clear: true, Ops: []storage.Op{put("b", "1"), put("boom", "")}})
			third := begin(s, storage.Commit{Room: bad, Fence: fences[bad], Ops: []storage.Op{put("c", "1")}})
			other := begin(s, storage.Commit{Room: good, Fence: fences[good], Ops: []storage.Op{put("a", "1")}})
			fresh := begin(s, storage.Commit{Room: created, Fence: fences[created], Ops: []storage.Op{put("a", "1")}})
			synced := make(chan error, 1)
			s.Sync(bad, func(err error) { synced <- err })
			letGo()

			for name, done := range map[string]<-chan error{"first": first, "good": other, "new": fresh} {
				if err := <-done; err == nil || errors.Is(err, storage.ErrFenced) || !strings.Contains(err.Error(), "the disk is on fire") {
					t.Errorf("%s commit of a group that fails: got error %v, want the cause", name, err)
				}
			}
			for name, done := range map[string]<-chan error{"second": second, "third": third, "sync": synced} {
				if err := <-done; !errors.Is(err, storage.ErrFenced) {
					t.Errorf("%s after a failed commit: got error %v, want %v", name, err, storage.ErrFenced)
				}
			}
			for room, fence := range fences {
				if err := <-begin(s, storage.Commit{Room: room, Fence: fence, Ops: []storage.Op{put("a", "2")}}); !errors.Is(err, storage.ErrFenced) {
					t.Errorf("room %q, later: got error %v, want %v", room, err, storage.ErrFenced)
				}
			}
			holds(t, s, bad, map[string]string{"a": "0"})
			holds(t, s, good, map[string]string{"a": "0"})
			holds(t, s, created, nil)

			// A new owner can write, whether or not the room has a row by now.
			for room, old := range fences {
				fence := claim(t, s, room)
				if fence <= old {
					t.Errorf("room %q: fence %d is not greater than %d", room, fence, old)
				}
				commit(t, s, storage.Commit{Room: room, Fence: fence, Clear: true, Ops: []storage.Op{put("a", "3")}})
				holds(t, s, room, map[string]string{"a": "3"})
			}
			n.do(`DROP TRIGGER boom`)
			commit(t, s, storage.Commit{Room: bad, Fence: claim(t, s, bad), Ops: []storage.Op{put("boom", "")}})
		})
	}
}

// TestFailureSparesTheNextOwner claims a room while the commit that will fail is
// pending, with the row that the room gets by it.
func TestFailureSparesTheNextOwner(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	n := visit(t, dir)
	old := claim(t, s, lobby)
	n.do(`CREATE TRIGGER boom BEFORE INSERT ON entries WHEN NEW.key = 'boom' BEGIN SELECT RAISE(ABORT, 'boom'); END`)
	letGo := stall(t, s, n)
	failing := begin(s, storage.Commit{Room: lobby, Fence: old, Ops: []storage.Op{put("boom", "")}})
	fences := make(chan storage.Fence)
	go func() { fences <- claim(t, s, lobby) }()
	until(func() bool { return s.Awaited(lobby) })
	letGo()
	if err := <-failing; err == nil {
		t.Error("the commit succeeded")
	}
	commit(t, s, storage.Commit{Room: lobby, Fence: <-fences, Ops: []storage.Op{put("a", "1")}})
	holds(t, s, lobby, map[string]string{"a": "1"})
}
