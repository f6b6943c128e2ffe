package platform

import (
	"net/http"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// exchange is a request to a room and its response. All that the platform keeps of one is in one piece of
// memory, which costs a request less than many small ones.
type exchange struct {
	pending
	room   *room
	ev     link.Event
	timing link.Timing
	w      http.ResponseWriter
	r      *http.Request

	aside  chan struct{} // closed when the response has been written beside the turn; nil if it is not
	failed error         // why the response is incomplete; when it is written aside, to be read after that
}

// request lets a room answer an HTTP request.
func (p *Platform) request(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room) {
	if !party.Requests {
		p.refuse(w, http.StatusNotFound, "Not implemented\n")
		return
	}
	if r = p.buffered(w, r); r == nil {
		return
	}
	room := p.room(key, party)
	defer room.unuse()
	x := &exchange{room: room, w: w, r: r}
	seq := room.seq.Add(1)
	x.ev = link.Event{Kind: link.Request, Seq: seq, Request: r, Yielded: x.yielded, Timing: &x.timing}
	room.mu.Lock()
	room.track(seq, tracked{request: &x.pending})
	room.mu.Unlock()
	err := errOverloaded
	if room.queued.Add(1) <= int64(p.limits.RoomQueue) {
		err = room.deliver(r.Context(), &x.ev)
	}
	if x.aside == nil {
		room.queued.Add(-1)
	}
	switch {
	case err != nil:
	case x.aside != nil:
		<-x.aside
	default:
		x.failed = x.writeTo(r.Context(), w)
	}
	if err == nil && x.failed == nil {
		return
	}
	room.mu.Lock()
	delete(room.tracked, seq)
	room.mu.Unlock()
	if err == nil {
		panic(http.ErrAbortHandler) // whoever reads it must not take it for complete
	}
	if r.Context().Err() == nil {
		p.fail(w, r, err)
	}
}

// yielded is told that the turn, which runs on the goroutine of the request, gives itself up. The response is then written
// beside it, and flushed, because a callback that is abandoned in an await may never return.
func (x *exchange) yielded() {
	x.room.queued.Add(-1)
	x.beside = true
	x.aside = make(chan struct{})
	go func() {
		defer close(x.aside)
		if x.failed = x.writeTo(x.r.Context(), x.w); x.failed == nil {
			http.NewResponseController(x.w).Flush()
		}
	}()
}
