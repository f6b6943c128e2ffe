package supervise

// onCounted is about rooms that a version could migrate, or could not.
func onCounted(s state, ev counted) (state, []action) {
	if ev.Host != s.current.id {
		return s, nil
	}
	s.counted = ev
	switch {
	case s.top().Proven || ev.Failing == 0:
		return s, nil
	case s.judged:
		return judge(s)
	case s.judging:
		return s, nil
	}
	s.judging = true
	return s, []action{startVerdict{s.trial}}
}

// judge goes back from a version on probation that does more harm than going back would.
func judge(s state) (state, []action) {
	to := s.fallback()
	if s.counted.Failing <= s.counted.Migrated || to < 0 || s.starting.id != 0 || !s.serving() {
		if s.overdue {
			return prove(s)
		}
		return s, nil
	}
	s.trial++ // the probation does not end any more
	return start(s, s.history[to].Version, recalling)
}
