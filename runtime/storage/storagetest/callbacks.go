package storagetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goparty-dev/party/runtime/storage"
)

// testCallbackOrder commits to some rooms in turn, with good and with bad
// fences and syncs between them.
func testCallbackOrder(t *testing.T, s *store) {
	const rooms, commits = 5, 300
	type called struct {
		room, n int
		err     error
	}
	calls := make(chan called, rooms*commits+1)
	fences := make([]storage.Fence, rooms)
	addrs := make([]storage.Room, rooms)
	for r := range rooms {
		addrs[r] = storage.Room{Party: "chat", Name: strconv.Itoa(r)}
		fences[r] = s.claim(addrs[r]).Fence
	}
	for n := range commits {
		for r := range rooms {
			done := func(err error) { calls <- called{r, n, err} }
			switch {
			case n%7 == 3:
				s.Commit(storage.Commit{Room: addrs[r], Fence: fences[r] + 1000}, done)
			case n%5 == 2:
				s.Sync(addrs[r], done)
			default:
				s.Commit(storage.Commit{Room: addrs[r], Fence: fences[r], Ops: []storage.Op{put("n", strconv.Itoa(n))}}, done)
			}
		}
	}
	s.Close()
	close(calls)
	var next [rooms]int
	for c := range calls {
		if c.n != next[c.room] {
			t.Fatalf("room %d: callback %d came where %d was due", c.room, c.n, next[c.room])
		}
		next[c.room]++
		if want := c.n%7 == 3; want != errors.Is(c.err, storage.ErrFenced) || !want && c.err != nil {
			t.Errorf("room %d, callback %d: got error %v, want refused = %v", c.room, c.n, c.err, want)
		}
	}
	if diff := cmp.Diff(next, [rooms]int{commits, commits, commits, commits, commits}); diff != "" {
		t.Errorf("numbers of callbacks differ (-got +want):\n%s", diff)
	}
}

// testCallbackMayCommit makes a chain of commits, each from the callback of the last.
func testCallbackMayCommit(t *testing.T, s *store) {
	fence := s.claim(lobby).Fence
	end := make(chan error, 1)
	var link func(n int)
	link = func(n int) {
		s.Commit(storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("n", strconv.Itoa(n))}}, func(err error) {
			if err != nil || n == 20 {
				end <- err
				return
			}
			link(n + 1)
		})
	}
	link(1)
	if err := s.outcome(end); err != nil {
		t.Fatal(err)
	}
	s.holds(lobby, map[string]string{"n": "20"})
}

func testSync(t *testing.T, s *store) {
	s.sync(storage.Room{Party: "chat", Name: "never used"})
	fence := s.claim(lobby).Fence
	s.sync(lobby)
	settled := 0
	for n := range 50 {
		s.Commit(storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", strconv.Itoa(n))}}, func(err error) {
			if err != nil {
				t.Errorf("commit: %v", err)
			}
			settled++ // callbacks of a room do not overlap
		})
	}
	seen := make(chan error, 1)
	n := 0
	s.Sync(lobby, func(err error) { n = settled; seen <- err })
	if err := s.outcome(seen); err != nil || n != 50 {
		t.Errorf("sync was called with error %v after %d of 50 commits", err, n)
	}
}

func testCloseSettles(t *testing.T, s *store) {
	const commits = 200
	outcomes := make(chan error, commits)
	for n := range commits {
		room := storage.Room{Party: "chat", Name: strconv.Itoa(n % 10)}
		s.Commit(storage.Commit{Room: room, Fence: s.claim(room).Fence, Ops: []storage.Op{put("n", strconv.Itoa(n))}},
			func(err error) { outcomes <- err })
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	if len(outcomes) != commits {
		t.Fatalf("%d of %d commits were settled when Close returned", len(outcomes), commits)
	}
	for range commits {
		if err := <-outcomes; err != nil {
			t.Errorf("a commit accepted before Close: %v", err)
		}
	}
}

func testUseAfterClose(t *testing.T, s *store) {
	ctx := context.Background()
	fence := s.claim(lobby).Fence
	if err := s.Close(); err != nil {
		t.Fatalf("Close() = %v", err)
	}
	check := func(what string, err error) {
		if !errors.Is(err, storage.ErrClosed) {
			t.Errorf("%s after Close: got error %v, want %v", what, err, storage.ErrClosed)
		}
	}
	_, err := s.Claim(ctx, lobby)
	check("Claim", err)
	_, err = s.Get(ctx, lobby, []string{"a"})
	check("Get", err)
	_, err = s.List(ctx, lobby, storage.Range{})
	check("List", err)
	_, err = s.Alarms(ctx, storage.Alarm{}, 1)
	check("Alarms", err)
	check("Commit", s.outcome(s.begin(storage.Commit{Room: lobby, Fence: fence})))
	synced := make(chan error, 1)
	s.Sync(lobby, func(err error) { synced <- err })
	check("Sync", s.outcome(synced))
	s.Release(lobby, fence)
	check("Close", s.Close())
}
