package supervise

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// story drives next and notes what it does, in short words.
type story struct {
	t     *testing.T
	state state
	did   []string
}

// begin starts v1, which gets the rooms as host 1.
func begin(t *testing.T, limit int) *story {
	t.Helper()
	s := &story{t: t, state: state{limit: limit, history: []Entry{{Version: Version{ID: "v1"}, Proven: true}}}}
	var do []action
	s.state, do = start(s.state, s.state.top().Version, first)
	s.note(do)
	s.after(ready{Host: 1}, "attach v1", "watch 1", "tell serving v1")
	return s
}

func (s *story) note(do []action) {
	s.did = nil
	for _, a := range do {
		switch a := a.(type) {
		case startHost:
			s.add("start", a.Host.version.ID)
		case killHost:
			s.add("kill", itoa(a.Host))
		case retireHost:
			s.add("retire", itoa(a.Host))
		case attach:
			s.add("attach", a.Host.version.ID)
		case detach:
			s.add("detach")
		case startTimer:
			s.add("timer", a.Delay.String())
		case watchHealth:
			s.add("watch", itoa(a.Host))
		case startVerdict:
			s.add("verdict", itoa(a.Trial))
		case startProbation:
			s.add("probation", itoa(a.Trial))
		case record:
			var all []string
			for _, e := range a.History {
				word := e.ID
				if !e.Proven {
					word += "?"
				}
				all = append(all, word)
			}
			s.add("record", strings.Join(all, ","))
		case tell:
			s.add("tell", strings.TrimSpace(string(a.Notice.Kind)+" "+a.Notice.Version))
		}
	}
}

func (s *story) add(words ...string) { s.did = append(s.did, strings.Join(words, " ")) }

func itoa(n int) string { return string(rune('0' + n)) }

// after lets something happen and wants exactly these actions.
func (s *story) after(ev event, want ...string) {
	s.t.Helper()
	var do []action
	s.state, do = next(s.state, ev)
	s.note(do)
	if diff := cmp.Diff(s.did, want); diff != "" {
		s.t.Errorf("%#v (-got +want):\n%s", ev, diff)
	}
}

// upgrade puts a version in, as a host with this number.
func (s *story) upgrade(id string, host, trial int, record string) {
	s.t.Helper()
	s.after(upgrade{Version: Version{ID: id}}, "tell starting "+id, "start "+id)
	s.after(ready{Host: host}, "attach "+id, "watch "+itoa(host), "probation "+itoa(trial), "record "+record, "tell serving "+id)
}

func TestUpgradeAndRollback(t *testing.T) {
	s := begin(t, 1)
	s.upgrade("v2", 2, 1, "v1,v2?")
	s.after(moved{Host: 2}, "retire 1")
	s.after(exited{Host: 1})
	s.after(proven{Trial: 1}, "record v1,v2", "tell proven v2")
	s.after(rollback{}, "tell starting v1", "start v1")
	s.after(upgrade{Version: Version{ID: "v3"}}, "tell refused")
	s.after(ready{Host: 3}, "attach v1", "watch 3", "record v1", "tell serving v1")
	s.after(moved{Host: 3}, "retire 2")
	s.after(rollback{}, "tell refused")
	s.after(upgrade{Version: Version{ID: "v1"}}, "tell refused")
}

func TestAStillbornVersionChangesNothing(t *testing.T) {
	s := begin(t, 1)
	s.after(upgrade{Version: Version{ID: "v2"}}, "tell starting v2", "start v2")
	s.after(exited{Host: 2}, "tell failed v2", "attach v1")
	if got := s.state.top().ID; got != "v1" {
		t.Errorf("got top %s, want v1", got)
	}
}

func TestRoomsThatCannotBeMigrated(t *testing.T) {
	begun := func(t *testing.T) *story {
		s := begin(t, 1)
		s.upgrade("v2", 2, 1, "v1,v2?")
		s.after(moved{Host: 2}, "retire 1")
		s.after(exited{Host: 1})
		return s
	}
	t.Run("more than can", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 1, Failing: 9})
		s.after(counted{Host: 2, Migrated: 1})
		s.after(counted{Host: 2, Migrated: 1, Failing: 1}, "verdict 1")
		s.after(counted{Host: 2, Migrated: 1, Failing: 2})
		s.after(verdict{Trial: 1}, "start v1")
		s.after(proven{Trial: 1})
		s.after(counted{Host: 2, Migrated: 1, Failing: 3})
		s.after(ready{Host: 3}, "attach v1", "watch 3", "record v1", "tell rolled back v1", "tell serving v1")
		s.after(moved{Host: 3}, "retire 2")
		s.after(exited{Host: 2})
		s.after(exited{Host: 3, Reason: "of something else"}, "detach", "tell crashed v1", "timer 0s")
	})
	t.Run("no more than can", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Migrated: 5, Failing: 1}, "verdict 1")
		s.after(verdict{Trial: 1})
		s.after(counted{Host: 2, Migrated: 5, Failing: 5})
		s.after(counted{Host: 2, Migrated: 5, Failing: 6}, "start v1")
	})
	t.Run("after the probation", func(t *testing.T) {
		s := begun(t)
		s.after(proven{Trial: 1}, "record v1,v2", "tell proven v2")
		s.after(counted{Host: 2, Failing: 9})
	})
	t.Run("at the end of the probation", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Failing: 1}, "verdict 1")
		s.after(proven{Trial: 1})
		s.after(verdict{Trial: 1}, "start v1")
	})
	t.Run("not so bad at the end of the probation", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Migrated: 1, Failing: 1}, "verdict 1")
		s.after(proven{Trial: 1})
		s.after(verdict{Trial: 1}, "record v1,v2", "tell proven v2")
		s.after(counted{Host: 2, Migrated: 1, Failing: 9})
	})
	t.Run("the version before does not start", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Failing: 1}, "verdict 1")
		s.after(verdict{Trial: 1}, "start v1")
		s.after(exited{Host: 3}, "tell failed v1", "probation 3", "attach v2")
		s.after(proven{Trial: 1})
		s.after(counted{Host: 2, Failing: 2}, "verdict 3")
		s.after(verdict{Trial: 3}, "start v1")
	})
	t.Run("it crashes meanwhile", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Failing: 1}, "verdict 1")
		s.after(verdict{Trial: 1}, "start v1")
		s.after(exited{Host: 2}, "detach", "tell crashed v2")
		s.after(ready{Host: 3}, "attach v1", "watch 3", "record v1", "tell rolled back v1", "tell serving v1")
	})
	t.Run("somebody asks for another version meanwhile", func(t *testing.T) {
		s := begun(t)
		s.after(counted{Host: 2, Failing: 1}, "verdict 1")
		s.after(verdict{Trial: 1}, "start v1")
		s.after(upgrade{Version: Version{ID: "v3"}}, "tell starting v3", "kill 3", "start v3")
		s.after(ready{Host: 4}, "attach v3", "watch 4", "probation 3", "record v1,v2?,v3?", "tell serving v3")
	})
}

func TestACrashOnProbationFallsBack(t *testing.T) {
	s := begin(t, 1)
	s.upgrade("v2", 2, 1, "v1,v2?")
	s.after(lost{Host: 2}, "detach")
	s.after(exited{Host: 2}, "record v1", "tell rolled back v1", "start v1")
	// It is tried until it serves: there is nothing else.
	s.after(exited{Host: 3}, "tell failed v1", "timer 0s")
	s.after(due{Timer: 1}, "start v1")
	s.after(proven{Trial: 1}) // of v2, too late
	s.after(ready{Host: 4}, "attach v1", "watch 4", "tell serving v1")
	s.after(moved{Host: 4}, "retire 1")
}

func TestSeveralCrashesMayBeAllowed(t *testing.T) {
	s := begin(t, 3)
	s.upgrade("v2", 2, 1, "v1,v2?")
	s.after(exited{Host: 2}, "detach", "tell crashed v2", "timer 0s")
	s.after(due{Timer: 1}, "start v2")
	s.after(ready{Host: 3}, "attach v2", "watch 3", "tell serving v2")
	s.after(lost{Host: 3}, "detach")
	s.after(exited{Host: 3}, "tell crashed v2", "timer 250ms")
	s.after(due{Timer: 2}, "start v2")
	s.after(ready{Host: 4}, "attach v2", "watch 4", "tell serving v2")
	s.after(exited{Host: 4}, "detach", "record v1", "tell rolled back v1", "start v1")
}

func TestAProvenVersionIsStartedAgain(t *testing.T) {
	s := begin(t, 1)
	s.after(exited{Host: 1}, "detach", "tell crashed v1", "timer 0s")
	s.after(due{Timer: 1}, "start v1")
	s.after(ready{Host: 2}, "attach v1", "watch 2", "tell serving v1")
	s.after(exited{Host: 2}, "detach", "tell crashed v1", "timer 250ms")
	// Somebody has a mended version: it does not wait for the timer.
	s.after(upgrade{Version: Version{ID: "v2"}}, "tell starting v2", "start v2")
	s.after(due{Timer: 2})
	s.after(ready{Host: 3}, "attach v2", "watch 3", "probation 1", "record v1,v2?", "tell serving v2")
	s.after(healthy{Host: 3})
	if s.state.crashes != 0 {
		t.Errorf("got %d crashes in a row after a while without", s.state.crashes)
	}
}

func TestAVersionOnProbationIsNoFallback(t *testing.T) {
	s := begin(t, 1)
	s.upgrade("v2", 2, 1, "v1,v2?")
	s.upgrade("v3", 3, 2, "v1,v2?,v3?")
	s.after(moved{Host: 3}, "retire 1", "retire 2")
	s.after(exited{Host: 3}, "detach", "record v1", "tell rolled back v1", "start v1")
}

func TestNoWayBackBeyondMovedRooms(t *testing.T) {
	s := begin(t, 1)
	s.after(upgrade{Version: Version{ID: "v2"}}, "tell starting v2", "start v2")
	s.after(ready{Host: 2, Moved: true}, "attach v2", "watch 2", "probation 1", "record v1,v2?", "tell serving v2")
	s.after(exited{Host: 2}, "detach", "tell crashed v2", "timer 0s")
	s.after(rollback{}, "tell refused")
}

func TestTheVersionBeforeServesWhileTheNewOneFailsAndItCrashesToo(t *testing.T) {
	s := begin(t, 1)
	s.after(upgrade{Version: Version{ID: "v2"}}, "tell starting v2", "start v2")
	s.after(lost{Host: 1}, "detach")
	s.after(exited{Host: 2}, "tell failed v2")
	s.after(exited{Host: 1}, "tell crashed v1", "timer 0s")
	s.after(due{Timer: 1}, "start v1")
}

func TestHistoryIsBounded(t *testing.T) {
	s := begin(t, 1)
	for n := 2; n <= 9; n++ {
		s.state, _ = next(s.state, upgrade{Version: Version{ID: "v" + itoa(n)}})
		s.state, _ = next(s.state, ready{Host: n})
		s.state, _ = next(s.state, proven{Trial: n - 1})
	}
	if got := len(s.state.history); got != maxHistory || s.state.top().ID != "v9" {
		t.Errorf("got %d versions up to %s, want %d up to v9", got, s.state.top().ID, maxHistory)
	}
}
