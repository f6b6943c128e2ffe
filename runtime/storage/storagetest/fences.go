package storagetest

import (
	"context"
	"errors"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

func testFences(t *testing.T, s *store) {
	first := s.claim(lobby)
	s.commit(storage.Commit{Room: lobby, Fence: first.Fence, Ops: []storage.Op{put("a", "1")}})

	second := s.claim(lobby)
	if second.Fence <= first.Fence {
		t.Errorf("second fence %d is not greater than the first %d", second.Fence, first.Fence)
	}
	for _, fence := range []storage.Fence{0, first.Fence, second.Fence + 1} {
		s.refused(storage.Commit{Room: lobby, Fence: fence, Clear: true, Ops: []storage.Op{put("a", "stale")},
			Alarm: storage.SetAlarm, AlarmAt: noon})
	}
	s.holds(lobby, map[string]string{"a": "1"})
	s.commit(storage.Commit{Room: lobby, Fence: second.Fence, Ops: []storage.Op{put("a", "2")}})
	s.holds(lobby, map[string]string{"a": "2"})

	// A fence is good for its own room only, and a claim is needed.
	other := storage.Room{Party: "chat", Name: "other"}
	s.refused(storage.Commit{Room: other, Fence: second.Fence, Ops: []storage.Op{put("a", "3")}})
	s.refused(storage.Commit{Room: other, Ops: []storage.Op{put("a", "3")}})
	s.holds(other, nil)
}

func testClaimWhilePending(t *testing.T, s *store) {
	for range 20 {
		old := s.claim(lobby)
		var begun []<-chan error
		for n := range 10 {
			begun = append(begun, s.begin(storage.Commit{Room: lobby, Fence: old.Fence,
				Ops: []storage.Op{put("n", string(rune('0'+n)))}, Alarm: storage.SetAlarm, AlarmAt: noon}))
		}
		claim := s.claim(lobby)
		stale := s.begin(storage.Commit{Room: lobby, Fence: old.Fence, Ops: []storage.Op{put("n", "stale")}})

		// What was accepted is durable or refused by now, in this order.
		want := map[string]string{}
		refused := false
		for n, done := range begun {
			switch err := s.outcome(done); {
			case err == nil && !refused:
				want["n"] = string(rune('0' + n))
			case errors.Is(err, storage.ErrFenced):
				refused = true
			default:
				t.Fatalf("commit %d: got error %v after refused = %v", n, err, refused)
			}
		}
		if err := s.outcome(stale); !errors.Is(err, storage.ErrFenced) {
			t.Fatalf("commit with the old fence: got error %v, want %v", err, storage.ErrFenced)
		}
		s.holds(lobby, want)
		if len(want) > 0 && !claim.Alarm.Equal(noon) {
			t.Errorf("the new owner is told the alarm %v, want %v", claim.Alarm, noon)
		}
		s.commit(storage.Commit{Room: lobby, Fence: claim.Fence, Clear: true, Alarm: storage.ClearAlarm})
	}
}

func testClaimLeavesNothing(t *testing.T, s *store) {
	claim := s.claim(lobby)
	if !claim.Alarm.IsZero() {
		t.Errorf("a room that was never used has the alarm %v", claim.Alarm)
	}
	s.holds(lobby, nil)
	s.commit(storage.Commit{Room: lobby, Fence: claim.Fence})
	s.holds(lobby, nil)
	if got := s.alarms(storage.Alarm{}, 10); len(got) != 0 {
		t.Errorf("Alarms() = %v, want none", got)
	}
}

func testRelease(t *testing.T, s *store) {
	first := s.claim(lobby)
	pending := s.begin(storage.Commit{Room: lobby, Fence: first.Fence, Ops: []storage.Op{put("a", "1")}})
	s.Release(lobby, first.Fence)
	if err := s.outcome(pending); err != nil {
		t.Errorf("commit accepted before the release: %v", err)
	}
	s.refused(storage.Commit{Room: lobby, Fence: first.Fence, Ops: []storage.Op{put("a", "2")}})

	second := s.claim(lobby)
	if second.Fence <= first.Fence {
		t.Errorf("fence %d after a release is not greater than %d", second.Fence, first.Fence)
	}
	s.Release(lobby, first.Fence) // not the current one
	s.Release(lobby, 0)
	s.Release(storage.Room{Party: "chat", Name: "never claimed"}, first.Fence)
	s.commit(storage.Commit{Room: lobby, Fence: second.Fence, Ops: []storage.Op{put("a", "3")}})
	s.holds(lobby, map[string]string{"a": "3"})
}

func testCancelledContext(t *testing.T, s *store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Claim(ctx, lobby); !errors.Is(err, context.Canceled) {
		t.Errorf("Claim: got error %v, want %v", err, context.Canceled)
	}
	if _, err := s.Get(ctx, lobby, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: got error %v, want %v", err, context.Canceled)
	}
	if _, err := s.List(ctx, lobby, storage.Range{}); !errors.Is(err, context.Canceled) {
		t.Errorf("List: got error %v, want %v", err, context.Canceled)
	}
	if _, err := s.Alarms(ctx, storage.Alarm{}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Alarms: got error %v, want %v", err, context.Canceled)
	}
}

// testEmpty wants a claim not to call a room empty of which something is stored. Whether
// it notices that nothing is, is the store's affair.
func testEmpty(t *testing.T, s *store) {
	claim := s.claim(lobby)
	for _, step := range []struct {
		what   string
		commit storage.Commit
		holds  bool
	}{
		{"an entry", storage.Commit{Ops: []storage.Op{put("a", "1")}}, true},
		{"no entry any more", storage.Commit{Ops: []storage.Op{{Key: "a", Delete: true}}}, false},
		{"an empty entry with an empty key", storage.Commit{Ops: []storage.Op{put("", "")}}, true},
		{"no entry after a clear", storage.Commit{Clear: true}, false},
		{"an alarm", storage.Commit{Alarm: storage.SetAlarm, AlarmAt: noon}, true},
		{"an alarm and an entry", storage.Commit{Ops: []storage.Op{put("a", "1")}}, true},
		{"an entry without the alarm", storage.Commit{Alarm: storage.ClearAlarm}, true},
	} {
		step.commit.Room, step.commit.Fence = lobby, claim.Fence
		s.Commit(step.commit, func(error) {}) // the claim waits for it
		if claim = s.claim(lobby); claim.Empty && step.holds {
			t.Errorf("the room is empty with %s", step.what)
		}
	}
}
