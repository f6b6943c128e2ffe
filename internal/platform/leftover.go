package platform

import (
	"errors"
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
)

// maxDeaths is how many hosts may die of one event before it is dropped.
const maxDeaths = 2

var errDeadly = errors.New("user code died of this event twice; it is dropped")

// survivors drops the events that have killed too many hosts, and answers for them. Called with mu held.
func (r *room) survivors(left []*link.Event) []*link.Event {
	out := left[:0]
	for _, ev := range left {
		switch {
		case ev.Kind == link.Nudge:
		case ev.Deaths >= maxDeaths:
			r.p.log.Error("event dropped", "party", r.key.Party, "room", r.key.Name, "event", ev.Kind.String(), "err", errDeadly)
			r.answerFor(ev)
		default:
			out = append(out, ev)
		}
	}
	return out
}

// answerFor ends what waits for an event that will not be delivered. Called with mu held.
func (r *room) answerFor(ev *link.Event) {
	t := r.tracked[ev.Seq]
	delete(r.tracked, ev.Seq)
	switch {
	case t.request != nil:
		t.request.fail(http.StatusInternalServerError, "internal error\n")
	case t.open != nil:
		t.open.decide(verdict{status: http.StatusInternalServerError, text: "internal error\n"})
		r.drop(t.open)
	case t.closed != nil:
		r.drop(t.closed)
	case ev.Kind == link.Message:
		if s := r.sessions[ev.Session]; s != nil {
			s.shut(websocket.CloseInternalServerErr, "internal error")
		}
	case ev.Kind == link.Alarm:
		r.p.clock.retry(r.key)
	}
}

// failAbandoned answers for what a released instance had begun and cannot
// finish: responses, and upgrades that were in an await. Called with mu held.
func (r *room) failAbandoned() {
	var begun []uint64
	for seq, t := range r.tracked {
		if t.request != nil && t.request.consumed || t.open != nil && t.open.taken {
			begun = append(begun, seq)
		}
	}
	if len(begun) == 0 {
		return
	}
	// Some of their answers may be in the gate.
	r.gate.after(func(error) {
		for _, seq := range begun {
			r.abandon(seq)
		}
	})
}

func (r *room) abandon(seq uint64) {
	t := r.tracked[seq]
	delete(r.tracked, seq)
	switch {
	case t.request != nil:
		t.request.fail(http.StatusInternalServerError, "the room was restarted\n")
	case t.open != nil && !t.open.verdict.made:
		t.open.decide(verdict{status: http.StatusServiceUnavailable, text: "the room was restarted\n"})
		r.drop(t.open)
	}
}

// failLeft answers for everything that waits for an instance that cannot be made.
func (r *room) failLeft(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.left
	r.left = nil
	for _, ev := range left {
		r.answerFor(ev)
	}
}
