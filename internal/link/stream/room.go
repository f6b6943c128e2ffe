package stream

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// What may be under way to one room before Deliver blocks.
const (
	maxEvents     = 128
	maxEventBytes = 4 << 20
)

// room is an instance in the host process, as the platform sees it.
type room struct {
	// Set when made, then read-only.
	h      *Host
	handle uint64
	seat   link.Seat

	mu       sync.Mutex // guards what follows; taken before the writer's lock
	progress sync.Cond  // on mu: events were consumed, or the room is released
	waiting  int        // goroutines that wait for progress
	released bool
	sent     []sentEvent            // delivered and not consumed, oldest first
	bytes    int                    // of sent
	watches  map[uint64]func() bool // stop functions, by event: contexts whose end the host is to be told
}

// sentEvent is an event that would have to be delivered again.
type sentEvent struct {
	ev    *link.Event
	bytes int
}

var _ link.Room = (*room)(nil)

// Deliver implements link.Room.
func (r *room) Deliver(ev *link.Event) bool {
	var body []byte
	if ev.Request != nil {
		var err error
		if body, err = readBody(ev.Request.Body); err != nil {
			return r.refuse(ev)
		}
		// The request may have to be delivered once more, perhaps in process. It is
		// copied because the caller may still use it.
		ev.Request = ev.Request.WithContext(ev.Request.Context())
		ev.Request.Body = newBody(body)
	}
	r.mu.Lock()
	for !r.released && (len(r.sent) >= maxEvents || r.bytes >= maxEventBytes) {
		r.waiting++
		r.progress.Wait()
		r.waiting--
	}
	if r.released {
		r.mu.Unlock()
		return false
	}
	b := appendUint(r.h.w.begin(kindEvent), r.handle)
	before := len(b)
	b = appendEvent(b, ev, body)
	size := len(b) - before
	if err := r.h.w.end(b); err != nil {
		r.mu.Unlock()
		if tooLarge := sizeError(0); errors.As(err, &tooLarge) {
			return r.refuse(ev)
		}
		return false // the stream is about to end, which releases the room
	}
	r.sent = append(r.sent, sentEvent{ev, size})
	r.bytes += size
	if ev.Request != nil && ev.Request.Context().Done() != nil {
		r.watch(ev)
	}
	r.mu.Unlock()
	r.h.w.flush()
	return true
}

// refuse answers in place of the room for an event that fits into no frame.
func (r *room) refuse(ev *link.Event) bool {
	r.mu.Lock()
	released := r.released
	r.mu.Unlock()
	if released {
		return false
	}
	b := link.NewBatch()
	b.Consumed = ev.Seq
	switch ev.Kind {
	case link.Request:
		b.Effects = append(b.Effects, link.Effect{
			Op: link.Respond, Ref: ev.Seq, Final: true, Code: http.StatusRequestEntityTooLarge,
			Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Data: "request too large for a host in another process\n",
		})
	case link.Open:
		b.Effects = append(b.Effects, link.Effect{Op: link.Deny, Session: ev.Session, Code: http.StatusRequestEntityTooLarge})
	case link.Message:
		b.Effects = append(b.Effects, link.Effect{Op: link.Shut, Session: ev.Session, Code: 1009, Data: "message too big"})
	}
	r.seat.Apply(b)
	return true
}

// watch tells the host when the context of the event's request ends. Called with mu held.
func (r *room) watch(ev *link.Event) {
	if r.watches == nil {
		r.watches = make(map[uint64]func() bool)
	}
	seq := ev.Seq
	r.watches[seq] = context.AfterFunc(ev.Request.Context(), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.watches[seq] == nil {
			return
		}
		delete(r.watches, seq)
		w := r.h.w
		w.end(appendUint(appendUint(w.begin(kindEnded), r.handle), seq))
		w.kick()
	})
}

// Evict implements link.Room. It never blocks, so it may be called under locks.
func (r *room) Evict(grace time.Duration) {
	w := r.h.w
	w.end(appendInt(appendUint(w.begin(kindEvict), r.handle), int64(grace)))
	w.kick()
}

// apply hands a batch on, and forgets the event that it consumes.
func (r *room) apply(b *link.Batch) {
	r.mu.Lock()
	if b.Consumed != 0 {
		r.consumed(b.Consumed)
	}
	if len(r.watches) > 0 {
		for n := range b.Effects {
			if e := &b.Effects[n]; e.Op == link.Respond && e.Final {
				r.unwatch(e.Ref)
			}
		}
	}
	r.mu.Unlock()
	r.seat.Apply(b)
}

// consumed is called with mu held.
func (r *room) consumed(seq uint64) {
	n := slices.IndexFunc(r.sent, func(s sentEvent) bool { return s.ev.Seq == seq })
	if n < 0 {
		return
	}
	r.bytes -= r.sent[n].bytes
	r.sent = slices.Delete(r.sent, n, n+1)
	if r.waiting > 0 {
		r.progress.Broadcast()
	}
}

// unwatch is called with mu held.
func (r *room) unwatch(seq uint64) {
	if stop := r.watches[seq]; stop != nil {
		stop()
		delete(r.watches, seq)
	}
}

// end gives the room back. died says that the host's end, or the room's, is
// due to the first event that was not consumed.
func (r *room) end(died bool) {
	r.mu.Lock()
	r.released = true
	left := make([]*link.Event, 0, len(r.sent))
	for _, s := range r.sent {
		left = append(left, s.ev) // nobody has read its request's body: what was sent is a copy
	}
	r.sent, r.bytes = nil, 0
	for seq := range r.watches {
		r.unwatch(seq)
	}
	r.progress.Broadcast()
	r.mu.Unlock()
	if died && len(left) > 0 {
		left[0].Deaths++
	}
	r.seat.Release(left)
}
