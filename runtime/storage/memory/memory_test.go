package memory_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() })
}

// TestIdle shows that a store needs no Close for its goroutines to end, which
// tests with synctest rely on.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		room := storage.Room{Party: "chat", Name: "lobby"}
		claim, err := s.Claim(context.Background(), room)
		if err != nil {
			t.Fatal(err)
		}
		var settled bool
		s.Commit(storage.Commit{Room: room, Fence: claim.Fence, Ops: []storage.Op{{Key: "a"}}}, func(err error) { settled = err == nil })
		synctest.Wait()
		if !settled {
			t.Error("the commit is not settled when nothing runs any more")
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	s := memory.New()
	room := storage.Room{Party: "chat", Name: "lobby"}
	claim, err := s.Claim(context.Background(), room)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	for b.Loop() {
		s.Commit(storage.Commit{Room: room, Fence: claim.Fence, Ops: []storage.Op{{Key: "a", Value: []byte("value")}}}, func(err error) { done <- err })
		<-done
	}
}
