package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/goparty-dev/party/runtime/storage"
)

var noon = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)

// alarms lists alarms.
func (s *store) alarms(after storage.Alarm, limit int) []storage.Alarm {
	s.t.Helper()
	alarms, err := s.Alarms(context.Background(), after, limit)
	if err != nil {
		s.t.Fatalf("Alarms(%v, %d) = %v", after, limit, err)
	}
	return alarms
}

func testAlarmChanges(t *testing.T, s *store) {
	fence := s.claim(lobby).Fence
	for _, step := range []struct {
		name   string
		commit storage.Commit
		want   time.Time
	}{
		{"keep none", storage.Commit{Ops: []storage.Op{put("a", "1")}}, time.Time{}},
		{"clear none", storage.Commit{Alarm: storage.ClearAlarm}, time.Time{}},
		{"set", storage.Commit{Alarm: storage.SetAlarm, AlarmAt: noon.Add(1500 * time.Microsecond)}, noon.Add(time.Millisecond)},
		{"keep", storage.Commit{Ops: []storage.Op{put("a", "2")}}, noon.Add(time.Millisecond)},
		{"keep over a clear", storage.Commit{Clear: true}, noon.Add(time.Millisecond)},
		{"move", storage.Commit{Alarm: storage.SetAlarm, AlarmAt: noon.Add(-time.Hour)}, noon.Add(-time.Hour)},
		{"before 1970", storage.Commit{Alarm: storage.SetAlarm, AlarmAt: time.UnixMilli(-5)}, time.UnixMilli(-5)},
		{"clear", storage.Commit{Alarm: storage.ClearAlarm, AlarmAt: noon}, time.Time{}},
		{"set with writes", storage.Commit{Ops: []storage.Op{put("b", "1"), del("b")}, Alarm: storage.SetAlarm, AlarmAt: noon}, noon},
		{"clear with writes", storage.Commit{Ops: []storage.Op{put("b", "1")}, Alarm: storage.ClearAlarm}, time.Time{}},
	} {
		step.commit.Room, step.commit.Fence = lobby, fence
		s.commit(step.commit)
		var want []storage.Alarm
		if !step.want.IsZero() {
			want = []storage.Alarm{{Room: lobby, At: step.want}}
		}
		if diff := cmp.Diff(s.alarms(storage.Alarm{}, 10), want); diff != "" {
			t.Errorf("%s: Alarms() differs (-got +want):\n%s", step.name, diff)
		}
		claim := s.claim(lobby)
		if !claim.Alarm.Equal(step.want) {
			t.Errorf("%s: the claim's alarm is %v, want %v", step.name, claim.Alarm, step.want)
		}
		fence = claim.Fence
	}
	s.holds(lobby, map[string]string{"b": "1"})
}

func testAlarmListing(t *testing.T, s *store) {
	at := func(ms int, party, name string) storage.Alarm {
		return storage.Alarm{Room: storage.Room{Party: party, Name: name}, At: noon.Add(time.Duration(ms) * time.Millisecond)}
	}
	want := []storage.Alarm{
		at(-60_000, "game", "z"),
		at(0, "chat", "a"),
		at(0, "chat", "a\x00"),
		at(0, "chat", "é"),
		at(0, "game", "a"),
		at(1, "chat", "b"),
		at(2, "", "no party"),
	}
	for _, n := range []int{4, 0, 6, 2, 1, 5, 3} {
		a := want[n]
		s.commit(storage.Commit{Room: a.Room, Fence: s.claim(a.Room).Fence, Alarm: storage.SetAlarm, AlarmAt: a.At})
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []storage.Alarm
		var after storage.Alarm
		for {
			page := s.alarms(after, limit)
			if len(page) > limit {
				t.Fatalf("Alarms(limit %d) returned %d", limit, len(page))
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("alarms in pages of %d differ (-got +want):\n%s", limit, diff)
		}
	}
	// The place to begin after need not be an alarm.
	if diff := cmp.Diff(s.alarms(storage.Alarm{At: noon}, 1), want[1:2]); diff != "" {
		t.Errorf("alarms after noon differ (-got +want):\n%s", diff)
	}
}
