package platform

import (
	"slices"

	"github.com/goparty-dev/party/internal/link"
)

// perform lets one effect out. Called with mu held, in the order of the turns.
func (r *room) perform(e *link.Effect) {
	switch e.Op {
	case link.Broadcast:
		r.broadcast(e)
		return
	case link.Respond:
		r.respond(e)
		return
	case link.AlarmFailed:
		r.p.clock.retry(r.key)
		return
	case link.Keep:
		r.keep(e.Data, e.Code)
		return
	case link.Migrated:
		if f := r.p.observer.Migrated; f != nil {
			f(r.key, e.Data)
		}
		return
	}
	s := r.sessions[e.Session]
	if s == nil {
		return
	}
	switch e.Op {
	case link.Send:
		r.frame = r.frame[:0]
		r.coded.reset()
		r.pass(s, e)
		r.stats.out.Add(1)
		r.trim()
	case link.Join:
		s.apart = e.Final
		r.join(s, e.Tags)
	case link.Headers:
		if s.engine != nil && !s.verdict.made {
			s.engine.header = e.Header
		}
	case link.Accept:
		delete(r.tracked, s.openSeq)
		if f := r.p.observer.Joined; f != nil && !s.verdict.made {
			f(SessionInfo{Room: r.key, Conn: s.conn, Count: len(r.members)})
		}
		s.decide(verdict{header: e.Header})
	case link.Deny:
		delete(r.tracked, s.openSeq)
		s.decide(verdict{status: e.Code, text: e.Data})
		r.drop(s)
	case link.Shut:
		s.shut(e.Code, e.Data)
		if e.Final {
			s.forgot = true
			delete(r.tracked, s.openSeq)
			s.decide(verdict{})
		}
	case link.SetState:
		if s.state = []byte(e.Data); e.Binary {
			s.state = nil
		}
	}
}

// broadcast builds the frame once and sends it to every receiver.
func (r *room) broadcast(e *link.Effect) {
	if len(r.members) == 0 {
		return
	}
	r.frame = r.frame[:0]
	r.coded.reset()
	sent := 0
	if len(e.Only) > 0 {
		for _, id := range e.Only {
			if s := r.sessions[id]; s != nil && receives(s, e) {
				r.pass(s, e)
				sent++
			}
		}
	} else {
		for n := len(r.members) - 1; n >= 0; n-- { // backwards: a slow one leaves the list
			if s := r.members[n]; receives(s, e) {
				r.pass(s, e)
				sent++
			}
		}
	}
	r.stats.out.Add(int64(sent))
	r.trim()
}

func receives(s *session, e *link.Effect) bool {
	if s.member < 0 || s.apart && len(e.Only) == 0 {
		return false
	}
	if e.Tag != "" && !slices.Contains(s.tags, e.Tag) {
		return false
	}
	return len(e.Except) == 0 || !slices.Contains(e.Except, s.id)
}

// trim gives a large frame buffer back.
func (r *room) trim() {
	if cap(r.frame) > 16<<10 {
		r.frame = nil
	}
}

// join makes a session a member. Called with mu held.
func (r *room) join(s *session, tags []string) {
	s.tags, s.joined = tags, true
	if s.member < 0 && !s.gone && s.code == 0 {
		s.member = len(r.members)
		r.members = append(r.members, s)
	}
}

// leave takes a session off the members. Called with mu held.
func (r *room) leave(s *session) {
	if s.member < 0 {
		return
	}
	last := len(r.members) - 1
	r.members[s.member] = r.members[last]
	r.members[s.member].member = s.member
	r.members[last] = nil
	r.members = r.members[:last]
	s.member = -1
}

// drop forgets a session. Called with mu held.
func (r *room) drop(s *session) {
	r.leave(s)
	delete(r.sessions, s.id)
}

func (r *room) track(seq uint64, t tracked) {
	if r.tracked == nil {
		r.tracked = make(map[uint64]tracked)
	}
	r.tracked[seq] = t
}

// consumed notes that the host will not be given an event again. Called with mu held.
func (r *room) consumed(seq uint64) {
	t, ok := r.tracked[seq]
	switch {
	case !ok:
	case t.request != nil:
		t.request.consumed = true
	case t.open != nil:
		t.open.taken = true
	case t.closed != nil:
		delete(r.tracked, seq)
		r.drop(t.closed)
	}
}

// socketGone tells the room that a session's socket has ended.
func (r *room) socketGone(s *session, ev *link.Event) {
	r.mu.Lock()
	s.gone = true
	r.leave(s)
	joined, tell := s.joined && !s.forgot, !s.told
	switch {
	case joined && tell:
		s.told = true
		r.track(ev.Seq, tracked{closed: s})
	case !joined:
		r.drop(s)
	}
	count := len(r.members)
	r.mu.Unlock()
	r.p.connections.Add(-1)
	r.p.removeSession(s)
	if joined {
		if f := r.p.observer.Left; f != nil {
			f(SessionInfo{Room: r.key, Conn: s.conn, Code: ev.Code, Reason: ev.Reason, Count: count})
		}
		if tell {
			r.deliverClose(s, ev)
		}
	}
	r.unuse()
}

// deliverClose delivers the Close event of a session, which is tracked.
func (r *room) deliverClose(s *session, ev *link.Event) {
	if err := r.deliver(r.p.ctx, ev); err != nil {
		r.mu.Lock()
		delete(r.tracked, ev.Seq)
		r.drop(s)
		r.mu.Unlock()
	}
}
