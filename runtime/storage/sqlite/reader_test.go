package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

// TestPinnedBeforeSettled settles a commit between the two halves of a read. The commit is in
// neither, so the read must not go on with them.
func TestPinnedBeforeSettled(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "party.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	room := storage.Room{Party: "chat", Name: "lobby"}
	claim, err := s.Claim(context.Background(), room)
	if err != nil {
		t.Fatal(err)
	}
	write := func() {
		t.Helper()
		done := make(chan error, 1)
		s.Commit(storage.Commit{Room: room, Fence: claim.Fence, Ops: []storage.Op{{Key: "a"}}}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	write()
	r, err := s.borrow(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer s.giveBack(r)
	defer r.unpin()

	before := s.groups.Load()
	if _, err := r.pin(room); err != nil {
		t.Fatal(err)
	}
	if !s.lookAt(room, before, func(*overlay) {}) {
		t.Error("a read is refused though nothing was settled")
	}
	write()
	if s.lookAt(room, before, func(*overlay) {}) {
		t.Error("a read goes on without the commit that was settled meanwhile")
	}
}
