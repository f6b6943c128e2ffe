package devserver

import (
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/hostproc"
)

// next is the dev loop's whole policy. It has no effects and reads no clock.
//
//   - The first sign of a change starts a build at once; a later one starts it anew.
//   - The old code serves until the new code answers. A build that fails, or a program
//     that ends before it answers, changes nothing.
//   - Code that ends while it serves is started again, at once the first time, then
//     with growing delays; a new build or a while without a crash resets them.
func next(s state, ev event) (state, []action) {
	if s.stopping {
		return s, nil
	}
	s.leaving = slices.Clone(s.leaving)
	switch ev := ev.(type) {
	case changed:
		var do []action
		if ev.Assets {
			do = append(do, reloadPages{})
		}
		if !ev.Source {
			return s, do
		}
		s, more := begin(s)
		return s, append(do, more...)
	case rebuild:
		return begin(s)
	case built:
		return onBuilt(s, ev)
	case broke:
		if ev.Build != s.build {
			return s, nil
		}
		s.building = false
		s.failure = &ev.Failure
		return s, []action{show{buildFailed{ev.Failure, s.serving()}}}
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
		return s, append(do, show{running{s.current.id, s.current.why}})
	case due:
		if ev.Timer != s.timer {
			return s, nil
		}
		s.timer = 0
		if s.serving() || s.starting.id != 0 {
			return s, nil
		}
		why := restart
		if !s.served {
			why = firstStart
		}
		return start(s, s.again, why)
	case bundled:
		mended := s.bundling != nil && ev.Failure == nil
		s.bundling = ev.Failure
		return s, []action{show{bundlesMade{ev, mended}}}
	case healthy:
		if ev.Host == s.current.id && s.serving() {
			s.crashes, s.crash = 0, nil
		}
		return s, nil
	case stop:
		s.stopping = true
		return s, []action{shutDown{}}
	}
	panic("devserver: an event that next does not know")
}

// serving reports whether some code has the rooms.
func (s *state) serving() bool { return s.current.id != 0 && !s.current.lost }

func begin(s state) (state, []action) {
	s.build++
	s.building = true
	return s, []action{beginBuild{s.build}}
}

func start(s state, build int, why cause) (state, []action) {
	s.hosts++
	s.starting = host{id: s.hosts, build: build, why: why}
	return s, []action{startHost{s.hosts, build, why}}
}

func onBuilt(s state, ev built) (state, []action) {
	if ev.Build != s.build {
		return s, nil
	}
	s.building, s.crashes, s.timer = false, 0, 0
	var do []action
	if s.starting.id != 0 {
		do = append(do, killHost{s.starting.id})
	}
	why := reload
	if !s.served {
		why = firstStart
	}
	s, more := start(s, ev.Build, why)
	return s, append(do, more...)
}

func onReady(s state, ev ready) (state, []action) {
	if ev.Host != s.starting.id {
		return s, nil // it has been killed meanwhile
	}
	if s.serving() {
		s.leaving = append(s.leaving, s.current.id)
	}
	s.current, s.starting = s.starting, host{}
	s.served, s.timer, s.failure = true, 0, nil
	if s.current.why != restart {
		s.crash = nil
	}
	return s, []action{adopt{s.current.id}, watchHealth{s.current.id}}
}

func onExited(s state, ev exited) (state, []action) {
	switch {
	case ev.Host == s.starting.id:
		failed := s.starting
		s.starting = host{}
		if s.serving() {
			s.failure = &failure{Start: &ev.Reason}
			return s, []action{show{buildFailed{*s.failure, true}}}
		}
		return again(s, failed.build, ev)
	case ev.Host == s.current.id:
		failed := s.current
		s.current = host{}
		var do []action
		if !failed.lost {
			do = append(do, detach{})
		}
		if s.starting.id != 0 {
			s.crash = &crash{Reason: ev.Reason}
			return s, append(do, show{crashed{*s.crash, true}})
		}
		s, more := again(s, failed.build, ev)
		return s, append(do, more...)
	default:
		// An old one, as expected or a little early: its rooms find out by themselves.
		s.leaving = slices.DeleteFunc(s.leaving, func(id int) bool { return id == ev.Host })
		return s, nil
	}
}

// longestPause is what the pauses between restarts grow to.
const longestPause = 5 * time.Second

// again has a build started once more, after a pause if it is not the first time.
func again(s state, build int, ev exited) (state, []action) {
	s.crashes++
	s.crash = &crash{Reason: ev.Reason, Delay: hostproc.BackOff(s.crashes, longestPause)}
	s.again = build
	s.timers++
	s.timer = s.timers
	return s, []action{show{crashed{Crash: *s.crash}}, startTimer{s.timer, s.crash.Delay}}
}
