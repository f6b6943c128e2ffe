package platform

import "github.com/goparty-dev/party/internal/link"

// A suspect is an event that was under way when a host died. Suspects are
// delivered again one at a time, over all rooms, so that a second death has
// one suspect to blame and no bystander is dropped with it.

// question takes the only place for suspects for an event, and reports
// whether the seat is still there afterwards. Called with mu held; mu is released meanwhile.
func (r *room) question(s *seat, ev *link.Event) bool {
	r.mu.Unlock()
	select {
	case r.p.suspects <- struct{}{}:
	case <-r.p.ctx.Done():
		r.mu.Lock()
		return r.seat == s
	}
	r.mu.Lock()
	if r.seat != s {
		<-r.p.suspects
		return false
	}
	r.suspect = ev.Seq
	return true
}

// acquit gives the place to the next suspect. Called with mu held.
func (r *room) acquit() {
	if r.suspect != 0 {
		r.suspect = 0
		<-r.p.suspects
	}
}
