package platform

import "sync"

// parking watches the sockets of sessions that have no reader: those that are silent while their room sleeps, or for
// some time. It costs such a session no goroutine and no buffer. Where the system has no such thing
// there is none, and silent sessions keep their readers.
type parking struct {
	mu     sync.Mutex // guards what follows
	poll   *poller    // nil until the first session is parked
	ended  chan struct{}
	closed bool
	parked map[uint64]*session
}

// run wakes sessions until close.
func (p *parking) run() {
	defer close(p.ended)
	for {
		ids, ok := p.poll.wait()
		if !ok {
			return
		}
		for _, id := range ids {
			p.wake(id)
		}
	}
}

// close ends run. Sessions that are parked stay so.
func (p *parking) close() {
	p.mu.Lock()
	p.closed = true
	poll := p.poll
	p.mu.Unlock()
	if poll != nil {
		poll.close()
		<-p.ended
	}
}

// park takes over a session from its reader, which ends if it returns true. When there is something to read, or the socket
// is closed, the session gets a new one.
func (p *parking) park(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || s.in.raw == nil {
		return false
	}
	if p.poll == nil {
		var err error
		if p.poll, err = newPoller(); err != nil {
			p.closed = true
			return false
		}
		p.parked, p.ended = make(map[uint64]*session), make(chan struct{})
		go p.run()
	}
	if err := p.poll.watch(s.in, uint64(s.id)); err != nil {
		return false // the reader goes on, and will see what is wrong
	}
	p.parked[uint64(s.id)] = s // an event that was faster waits for mu
	return true
}

// take ends the parking of a session. It returns nil if it was not parked.
func (p *parking) take(id uint64) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.parked[id]
	delete(p.parked, id)
	return s
}

// wake gives a session a reader, if it has none.
func (p *parking) wake(id uint64) {
	if s := p.take(id); s != nil {
		s.in.busy = false
		go s.read()
	}
}
