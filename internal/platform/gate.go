package platform

import (
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// gate is the output gate of one room: the batches that are not out yet, oldest
// first. A batch waits for its own commit and for all batches before it.
// Guarded by room.mu.
type gate struct {
	queue []*held
}

// held is one batch in the gate, or somebody who waits for those before it.
type held struct {
	seat    *seat
	batch   *link.Batch
	commits bool        // a commit of this batch is not settled
	passed  func(error) // instead of a batch: told how the commits before it went
}

func (g *gate) open() bool { return len(g.queue) == 0 }

// wait returns a channel that gets the outcome of the commits that are under way.
func (g *gate) wait() <-chan error {
	c := make(chan error, 1)
	g.after(func(err error) { c <- err })
	return c
}

// after calls passed when all that is in the gate now has left it. It is called with room.mu held.
func (g *gate) after(passed func(error)) {
	if g.open() {
		passed(nil)
		return
	}
	g.queue = append(g.queue, &held{passed: passed})
}

// commit is what room.hold wants the store to do.
type commit struct {
	storage.Commit
	settled func(error)
}

// hold puts a batch into the gate. Its volatile messages leave at once. Called with mu held; the
// commit it returns is to be handed to the store without mu, in the order of the calls.
func (r *room) hold(s *seat, b *link.Batch) *commit {
	b.Effects = slices.DeleteFunc(b.Effects, func(e link.Effect) bool {
		if e.Volatile {
			r.perform(&e)
		}
		return e.Volatile
	})
	h := &held{seat: s, batch: b, commits: b.Writes() && !b.Unconfirmed}
	if !h.commits && r.gate.open() {
		for n := range b.Effects {
			r.perform(&b.Effects[n])
		}
	} else {
		r.gate.queue = append(r.gate.queue, h)
	}
	if !b.Writes() {
		return nil
	}
	c := &commit{Commit: storage.Commit{
		Room: r.key, Fence: s.fence,
		Clear: b.Clear, Ops: b.Ops, Alarm: b.Alarm, AlarmAt: b.AlarmAt,
	}}
	switch b.Alarm {
	case storage.SetAlarm:
		r.alarm = b.AlarmAt
	case storage.ClearAlarm:
		r.alarm = time.Time{}
	}
	r.use()
	if b.Unconfirmed {
		r.loose++
		c.settled = func(err error) {
			r.looseSettled(s, err)
			r.unuse()
		}
		return c
	}
	began := time.Now()
	c.settled = func(err error) {
		r.counted(err, time.Since(began))
		r.settled(h, err)
		r.unuse()
	}
	return c
}

// looseSettled is told how a commit went that nobody waited for.
func (r *room) looseSettled(s *seat, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loose--
	if err != nil && r.seat == s {
		r.reset(s, err)
	}
}

// settled is told by the store how a commit went.
func (r *room) settled(h *held, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h.commits = false
	if err != nil {
		r.commitFailed(h, err)
		return
	}
	switch b := h.batch; b.Alarm {
	case storage.SetAlarm:
		r.p.clock.set(r.key, b.AlarmAt)
	case storage.ClearAlarm:
		r.p.clock.clear(r.key)
	}
	for len(r.gate.queue) > 0 && !r.gate.queue[0].commits {
		first := r.gate.queue[0]
		r.gate.queue[0] = nil
		r.gate.queue = r.gate.queue[1:]
		if first.passed != nil {
			first.passed(nil)
			continue
		}
		for n := range first.batch.Effects {
			r.perform(&first.batch.Effects[n])
		}
		first.batch.Free()
	}
	if len(r.gate.queue) == 0 {
		r.gate.queue = nil
	}
}

// commitFailed resets the room: nobody is to believe what is not on disk. What
// waits in the gate is dropped, those it was for are cut off, and the
// instance, which believes it, is replaced.
func (r *room) commitFailed(h *held, err error) {
	if !slices.Contains(r.gate.queue, h) {
		return // an earlier commit of the same instance has failed already
	}
	r.reset(h.seat, err)
}

// reset empties the gate and replaces the instance of a seat. Called with mu held.
func (r *room) reset(s *seat, err error) {
	r.p.log.Error("commit failed, the room is reset", "party", r.key.Party, "room", r.key.Name, "err", err)
	queue := r.gate.queue
	r.gate.queue = nil
	for _, h := range queue {
		if h.passed != nil {
			h.passed(err)
			continue
		}
		for n := range h.batch.Effects {
			r.owed(&h.batch.Effects[n])
		}
	}
	if r.seat == s && !s.dead {
		s.dead = true
		r.evict()
	}
}

// owed ends whoever was to get an effect that will not happen.
func (r *room) owed(e *link.Effect) {
	const reason = "the room was reset"
	switch e.Op {
	case link.Broadcast:
		for _, s := range slices.Clone(r.members) {
			if receives(s, e) && (len(e.Only) == 0 || slices.Contains(e.Only, s.id)) {
				s.shut(websocket.CloseInternalServerErr, reason)
			}
		}
	case link.Send, link.SetState, link.Shut:
		if s := r.sessions[e.Session]; s != nil {
			s.shut(websocket.CloseInternalServerErr, reason)
		}
	case link.Join, link.Accept, link.Deny:
		if s := r.sessions[e.Session]; s != nil {
			s.decide(verdict{status: 500, text: reason + "\n"})
			r.drop(s)
		}
	case link.Respond:
		if t := r.tracked[e.Ref]; t.request != nil {
			delete(r.tracked, e.Ref)
			t.request.fail(500, reason+"\n")
		}
	}
}
