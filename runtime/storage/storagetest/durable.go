package storagetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/goparty-dev/party/runtime/storage"
)

// RunDurable tests an engine that keeps what it has been given. open opens
// the store in a folder, which is empty the first time; the suite closes it.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	Run(t, func(t *testing.T) storage.Store { return open(t, t.TempDir()) })
	t.Run("Reopen", func(t *testing.T) { testReopen(t, open) })
}

func testReopen(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	dir := t.TempDir()
	alarmed := storage.Room{Party: "game", Name: "only an alarm"}
	emptied := storage.Room{Party: "game", Name: "emptied"}
	var last storage.Fence
	for life, want := range []map[string]string{nil, {"life": "0", "": "\x00"}, {"life": "1", "": "\x00"}} {
		s := start(t, open(t, dir))
		s.holds(lobby, want)
		s.holds(emptied, nil)
		claim := s.claim(lobby)
		if claim.Fence <= last {
			t.Errorf("life %d: fence %d is not greater than %d before", life, claim.Fence, last)
		}
		if life > 0 {
			s.refused(storage.Commit{Room: lobby, Fence: last, Ops: []storage.Op{put("life", "stale")}})
			want := []storage.Alarm{{Room: alarmed, At: noon}}
			if diff := cmp.Diff(s.alarms(storage.Alarm{}, 10), want); diff != "" {
				t.Errorf("life %d: alarms differ (-got +want):\n%s", life, diff)
			}
			if got := s.claim(alarmed).Alarm; !got.Equal(noon) {
				t.Errorf("life %d: the claim's alarm is %v, want %v", life, got, noon)
			}
		}
		last = claim.Fence
		for range 5 {
			last = max(last, s.claim(emptied).Fence)
		}
		s.commit(storage.Commit{Room: emptied, Fence: last, Ops: []storage.Op{put("a", "1")}, Alarm: storage.SetAlarm, AlarmAt: noon})
		s.commit(storage.Commit{Room: emptied, Fence: last, Ops: []storage.Op{del("a")}, Alarm: storage.ClearAlarm})
		s.commit(storage.Commit{Room: alarmed, Fence: s.claim(alarmed).Fence, Alarm: storage.SetAlarm, AlarmAt: noon})
		// Nobody waits for this one: Close does.
		s.Commit(storage.Commit{Room: lobby, Fence: claim.Fence,
			Ops: []storage.Op{put("life", string(rune('0'+life))), put("", "\x00")}}, func(error) {})
		if err := s.Close(); err != nil {
			t.Fatalf("life %d: Close() = %v", life, err)
		}
	}
}
