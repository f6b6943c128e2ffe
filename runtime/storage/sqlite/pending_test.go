package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
)

// TestPendingIsRead compares lists with a model while commits are pending for
// certain, and again when they are durable.
func TestPendingIsRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	n := visit(t, dir)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var m storagetest.Model
	compare := func() {
		t.Helper()
		for range 10 {
			r := storagetest.RandomRange(rng)
			got, err := s.List(context.Background(), lobby, r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, m.List(r), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("List(%+v) differs (-got +want):\n%s", r, diff)
			}
		}
	}
	fence := claim(t, s, lobby)
	for range 10 {
		letGo := stall(t, s, n)
		stored := n.rows(`SELECT * FROM storage`)
		for range 20 {
			c := storagetest.RandomCommit(rng)
			m.Apply(c)
			c.Room, c.Fence = lobby, fence
			s.Commit(c, func(err error) {
				if err != nil {
					t.Errorf("commit: %v", err)
				}
			})
			compare()
		}
		if diff := cmp.Diff(n.rows(`SELECT * FROM storage`), stored); diff != "" {
			t.Fatalf("commits did not stay pending (-got +want):\n%s", diff)
		}
		letGo()
		synced := make(chan error)
		s.Sync(lobby, func(err error) { synced <- err })
		if err := <-synced; err != nil {
			t.Fatal(err)
		}
		compare()
	}
}

func TestPendingAlarmIsNotListed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	letGo := stall(t, s, visit(t, dir))
	done := begin(s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Alarm: storage.SetAlarm, AlarmAt: noon})
	if got, err := s.Alarms(context.Background(), storage.Alarm{}, 10); err != nil || len(got) > 0 {
		t.Errorf("Alarms() = %v, %v, want none", got, err)
	}
	letGo()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []storage.Alarm{{Room: lobby, At: noon}}
	got, err := s.Alarms(context.Background(), storage.Alarm{}, 10)
	if diff := cmp.Diff(got, want); err != nil || diff != "" {
		t.Errorf("Alarms() fails with %v or differs (-got +want):\n%s", err, diff)
	}
}

// TestClaimGivesUp has a claim that cannot wait for what is pending.
func TestClaimGivesUp(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	letGo := stall(t, s, visit(t, dir))
	old := claim(t, s, lobby)
	accepted := begin(s, storage.Commit{Room: lobby, Fence: old, Ops: []storage.Op{put("a", "1")}})

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := s.Claim(ctx, lobby); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Claim: got error %v, want %v", err, context.DeadlineExceeded)
	}
	late := begin(s, storage.Commit{Room: lobby, Fence: old, Ops: []storage.Op{put("a", "2")}})
	letGo()
	if err := <-accepted; err != nil {
		t.Errorf("commit before the claim: %v", err)
	}
	if err := <-late; !errors.Is(err, storage.ErrFenced) {
		t.Errorf("commit after the claim: got error %v, want %v", err, storage.ErrFenced)
	}
	claim(t, s, lobby)
	holds(t, s, lobby, map[string]string{"a": "1"})
}
