package supervise

import (
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/hostproc"
)

// next is the whole policy. It has no effects and reads no clock.
//
//   - A version that is asked for starts beside the one that serves, which goes on until the new one answers.
//     One that ends before it answers changes nothing.
//   - Then it is on probation. If it crashes limit times in that time, the last
//     proven version serves again.
//   - If, on probation, it cannot migrate the data of more rooms than it can, once there has been time to count,
//     the last proven version is started beside it and gets the rooms. Fewer are told of, and no more: rooms that were
//     migrated are of no use to the version before.
//   - Code that ends while it serves is started again, at once the first time, then
//     with growing delays; a while without a crash resets them.
func next(s state, ev event) (state, []action) {
	if s.stopping {
		return s, nil
	}
	s.leaving = slices.Clone(s.leaving)
	s.history = slices.Clone(s.history)
	switch ev := ev.(type) {
	case upgrade:
		return onUpgrade(s, ev)
	case rollback:
		return onRollback(s, ev)
	case ready:
		return onReady(s, ev)
	case lost:
		if ev.Host != s.current.id || s.current.lost {
			return s, nil
		}
		s.current.lost = true
		return s, []action{detach{}}
	case exited:
		return onExited(s, ev)
	case moved:
		if ev.Host != s.current.id {
			return s, nil
		}
		var do []action
		for _, old := range s.leaving {
			do = append(do, retireHost{old})
		}
		s.leaving = nil
		return s, do
	case due:
		if ev.Timer != s.timer {
			return s, nil
		}
		s.timer = 0
		if s.current.id != 0 || s.starting.id != 0 {
			return s, nil
		}
		return start(s, s.top().Version, restarting)
	case healthy:
		if ev.Host == s.current.id && s.serving() {
			s.crashes = 0
		}
		return s, nil
	case proven:
		if ev.Trial != s.trial || s.top().Proven {
			return s, nil
		}
		if s.judging && !s.judged {
			s.overdue = true
			return s, nil
		}
		return prove(s)
	case counted:
		return onCounted(s, ev)
	case verdict:
		if ev.Trial != s.trial || s.top().Proven {
			return s, nil
		}
		s.judged = true
		return judge(s)
	case stop:
		s.stopping = true
		return s, nil
	}
	panic("supervise: an event that next does not know")
}

func start(s state, v Version, why cause) (state, []action) {
	s.hosts++
	s.starting = host{id: s.hosts, version: v, why: why}
	s.timer = 0
	return s, []action{startHost{s.starting}}
}

func refuse(ask int, reason string) []action {
	return []action{tell{Notice{Kind: Refused, Reason: reason, ask: ask}}}
}

func onUpgrade(s state, ev upgrade) (state, []action) {
	switch {
	case s.asked():
		return s, refuse(ev.Ask, "another version is being started")
	case ev.Version.ID == s.top().ID:
		return s, refuse(ev.Ask, "this is the version that serves")
	}
	return startAsked(s, ev.Ask, ev.Version, upgrading)
}

func onRollback(s state, ev rollback) (state, []action) {
	switch {
	case s.asked():
		return s, refuse(ev.Ask, "another version is being started")
	case len(s.history) < 2:
		return s, refuse(ev.Ask, "there is no version before this one")
	case s.top().Moved:
		return s, refuse(ev.Ask, "this version has renamed or deleted parties in the store, and the one before would not find its rooms")
	}
	return startAsked(s, ev.Ask, s.history[len(s.history)-2].Version, goingBack)
}

func startAsked(s state, ask int, v Version, why cause) (state, []action) {
	do := []action{tell{Notice{Kind: Starting, Version: v.ID, ask: ask}}}
	if s.starting.id != 0 { // what crashed, for another try
		do = append(do, killHost{s.starting.id})
	}
	s, more := start(s, v, why)
	return s, append(do, more...)
}

func onReady(s state, ev ready) (state, []action) {
	if ev.Host != s.starting.id {
		return s, nil // it has been killed meanwhile
	}
	if s.serving() {
		s.leaving = append(s.leaving, s.current.id)
	}
	s.current, s.starting, s.timer = s.starting, host{}, 0
	do := []action{attach{s.current}, watchHealth{s.current.id}}
	serves := tell{Notice{Kind: Serving, Version: s.current.version.ID}}
	switch s.current.why {
	case upgrading:
		s.push(Entry{Version: s.current.version, Moved: ev.Moved})
		s.trial++
		s.failures, s.crashes = 0, 0
		s.counted, s.judged, s.judging, s.overdue = counted{}, false, false, false
		do = append(do, startProbation{s.trial}, record{slices.Clone(s.history)}, serves)
	case goingBack:
		s.history = s.history[:len(s.history)-1]
		s.crashes = 0
		// What is gone back to may never have been through its probation; nobody wants
		// to be thrown back further than that.
		s.top().Proven = true
		do = append(do, record{slices.Clone(s.history)}, serves)
	case recalling:
		from := s.top().ID
		s.history = s.history[:s.place(s.current.version.ID)+1]
		s.crashes, s.failures = 0, 0
		note := Notice{Kind: RolledBack, From: from, Version: s.top().ID, Failing: s.counted.Failing, Migrated: s.counted.Migrated}
		if len(s.counted.Rooms) > 0 {
			note.Reason = s.counted.Rooms[0].Room + ": " + s.counted.Rooms[0].Reason
		}
		do = append(do, record{slices.Clone(s.history)}, tell{note}, serves)
	default:
		do = append(do, serves)
	}
	return s, do
}

func prove(s state) (state, []action) {
	s.top().Proven = true
	if n := len(s.history) - maxHistory; n > 0 {
		s.history = s.history[n:]
	}
	return s, []action{record{slices.Clone(s.history)}, tell{Notice{Kind: Proven, Version: s.top().ID}}}
}

func onExited(s state, ev exited) (state, []action) {
	switch ev.Host {
	case s.starting.id:
		return onStillborn(s, ev)
	case s.current.id:
		return onCrash(s, ev)
	}
	// An old one, as expected or a little early: its rooms find out by themselves.
	s.leaving = slices.DeleteFunc(s.leaving, func(id int) bool { return id == ev.Host })
	return s, nil
}

// onStillborn is about a host that ended before it could take over.
func onStillborn(s state, ev exited) (state, []action) {
	failed := s.starting
	s.starting = host{}
	do := []action{tell{Notice{Kind: Failed, Version: failed.version.ID, Reason: ev.Reason}}}
	if failed.why == recalling {
		// What serves is not what anybody wants, but nothing else is there. Its probation begins anew.
		s.trial++
		s.judged, s.judging, s.overdue = false, false, false
		do = append(do, startProbation{s.trial})
	}
	switch {
	case failed.why == first:
		return s, do
	case s.serving():
		// It may have been taken away, for a migration that then failed.
		return s, append(do, attach{s.current})
	case s.current.id != 0:
		return s, do // it is ending; what then happens is decided then
	}
	s, more := again(s)
	return s, append(do, more...)
}

// onCrash is about the host that has the rooms.
func onCrash(s state, ev exited) (state, []action) {
	failed := s.current
	s.current = host{}
	var do []action
	if !failed.lost {
		do = append(do, detach{})
	}
	if !s.top().Proven {
		s.failures++
		if to := s.fallback(); s.failures >= s.limit && to >= 0 && !s.asked() && s.starting.why != recalling {
			return fallBack(s, to, ev.Reason, do)
		}
	}
	do = append(do, tell{Notice{Kind: Crashed, Version: failed.version.ID, Reason: ev.Reason}})
	if s.starting.id != 0 {
		return s, do
	}
	s, more := again(s)
	return s, append(do, more...)
}

func fallBack(s state, to int, reason string, do []action) (state, []action) {
	from := s.top().ID
	s.history = s.history[:to+1]
	s.crashes, s.failures = 0, 0
	do = append(do, record{slices.Clone(s.history)},
		tell{Notice{Kind: RolledBack, From: from, Version: s.top().ID, Reason: reason}})
	s, more := start(s, s.top().Version, falling)
	return s, append(do, more...)
}

// longestPause is what the pauses between restarts grow to.
const longestPause = 10 * time.Second

// again has the version started once more, after a pause if it is not the first time.
func again(s state) (state, []action) {
	s.crashes++
	s.timers++
	s.timer = s.timers
	return s, []action{startTimer{s.timer, hostproc.BackOff(s.crashes, longestPause)}}
}
