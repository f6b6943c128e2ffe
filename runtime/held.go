package party

import (
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// What a room that cannot start holds for when it can.
const (
	maxHeld      = 64      // events; a stream between platform and host has room for some more
	maxHeldBytes = 1 << 20 // of their payloads

	firstStartRetry = 250 * time.Millisecond // doubles with each retry
	startRetries    = 7                      // a minute in all
)

// held are messages that met a failing OnStart. Nobody waits for an answer to them who could be told of
// the error, so they wait for the room: for the next event that starts it, or the
// next try on a timer. They are not consumed meanwhile: an instance that ends leaves them to the next.
// Owned by the turn.
type held struct {
	events []*link.Event
	bytes  int
	tries  int // on the timer
	timer  *time.Timer
}

// of reports whether something of a session is held.
func (h *held) of(s link.SessionID) bool {
	return slices.ContainsFunc(h.events, func(ev *link.Event) bool { return ev.Session == s })
}

// hold keeps an event of a room that could not start, and reports whether it did. The end of a
// connection is kept behind its messages.
func (i *instance) hold(ev *link.Event) bool {
	h := &i.held
	switch {
	case ev.Kind == link.Close && h.of(ev.Session):
	case ev.Deaths > 0: // it may be what kills the room; others wait for it to be tried
		return false
	case ev.Kind == link.Message && len(h.events) < maxHeld && h.bytes+len(ev.Data) <= maxHeldBytes:
	default:
		return false
	}
	ev.Yielded, ev.Timing = nil, nil // of the delivery that ends here
	h.events = append(h.events, ev)
	h.bytes += len(ev.Data)
	if h.timer == nil {
		h.timer = time.AfterFunc(firstStartRetry, i.retryStart)
	}
	return true
}

// waits reports whether an event is to wait behind held ones instead of starting the room: only those
// that somebody waits for try at once.
func (i *instance) waits(ev *link.Event) bool {
	return len(i.held.events) > 0 && !i.started && i.hold(ev)
}

// retryStart tries to start the room for what is held.
func (i *instance) retryStart() {
	i.turn.Lock()
	defer i.leave()
	h := &i.held
	if i.released || i.started || len(h.events) == 0 {
		return
	}
	t := turn{}
	i.enter(&t)
	defer i.finish(&t)
	switch {
	case i.start(&t):
		i.runHeld(&t)
	case h.tries < startRetries:
		h.tries++
		h.timer.Reset(firstStartRetry << h.tries)
	default:
		i.giveHeldUp()
	}
}

// runHeld gives a room that has started what it could not take before.
func (i *instance) runHeld(t *turn) {
	for len(i.held.events) > 0 {
		ev := i.held.take()
		own := turn{ev: ev}
		i.cur = &own
		i.handle(&own)
		i.flush(&own, false)
	}
	i.cur = t
}

// giveHeldUp closes the connections whose messages the room will never take.
func (i *instance) giveHeldUp() {
	i.logger().Error("the room could not start for a minute; messages are dropped and their senders closed", "messages", len(i.held.events))
	for len(i.held.events) > 0 {
		ev := i.held.take()
		if ev.Kind == link.Close {
			i.resumed = without(i.resumed, ev.Session)
		} else {
			i.turnAway(ev)
		}
		i.flush(&turn{ev: ev}, false)
	}
	i.renew()
}

func without(sessions []link.Session, id link.SessionID) []link.Session {
	return slices.DeleteFunc(sessions, func(s link.Session) bool { return s.ID == id })
}

// turnAway closes the sender of a message that the room will not take.
func (i *instance) turnAway(ev *link.Event) {
	i.emit(link.Effect{Op: link.Shut, Session: ev.Session, Code: 1011, Data: "the room could not start"})
}

// take removes the oldest event.
func (h *held) take() *link.Event {
	ev := h.events[0]
	h.events[0] = nil
	h.events = h.events[1:]
	h.bytes -= len(ev.Data)
	if len(h.events) == 0 {
		h.timer.Stop()
		*h = held{}
	}
	return ev
}

// leave returns what is held, for the next instance.
func (h *held) leave() []*link.Event {
	if h.timer != nil {
		h.timer.Stop()
	}
	return h.events
}
