package platform

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

var (
	_ link.Invoker = (*seat)(nil)
	_ link.Invoker = lobby{}
)

// errElsewhere says that the room that is to be called by values is in another process.
var errElsewhere = errors.New("the room is in another process")

// Invoke implements link.Invoker.
func (s *seat) Invoke(ctx context.Context, target storage.Room, c *link.Invocation) (bool, error) {
	return s.room.p.invoke(ctx, target, c)
}

// Invoke implements link.Invoker.
func (l lobby) Invoke(ctx context.Context, target storage.Room, c *link.Invocation) (bool, error) {
	return l.p.invoke(ctx, target, c)
}

// invoke calls a method of a room in this process. It is what fetch is to requests.
func (p *Platform) invoke(ctx context.Context, target storage.Room, c *link.Invocation) (bool, error) {
	rt, err := p.routing(ctx)
	if err != nil {
		return true, err
	}
	party, ok := rt.parties[target.Party]
	switch {
	case !ok:
		return true, fmt.Errorf("there is no party %q", target.Party)
	case !party.Requests:
		return true, &link.Refused{Status: http.StatusNotFound, Text: "Not implemented"}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	c.Context = ctx
	call := &calling{room: p.room(target, party)}
	call.more = make(chan struct{}, 1)
	call.ev = link.Event{Kind: link.Request, Seq: call.room.seq.Add(1), Invocation: c, Yielded: call.taken}
	seq := call.ev.Seq
	call.room.mu.Lock()
	call.room.track(seq, tracked{request: &call.pending})
	call.room.mu.Unlock()
	call.begin(ctx)
	select {
	case <-call.more:
		err = call.outcome()
	case <-ctx.Done():
		err = ctx.Err()
	}
	var refused *link.Refused
	if err == nil || errors.As(err, &refused) {
		return true, err
	}
	// Nobody waits for the answer any more.
	call.room.mu.Lock()
	delete(call.room.tracked, seq)
	call.room.mu.Unlock()
	switch {
	case errors.Is(err, errElsewhere):
		return false, nil
	case ctx.Err() != nil:
		return true, ctx.Err()
	}
	return true, p.notCalled(target, c.Method, err)
}

// calling is one call of a room's method.
type calling struct {
	pending
	room   *room
	ev     link.Event
	queued atomic.Bool // counts as one that waits for its room, or has it
	err    error       // why it was not taken. Guarded by pending.mu
}

// begin delivers the call on a goroutine of its own: its caller has a deadline, and the turn may have none.
func (c *calling) begin(ctx context.Context) {
	c.queued.Store(true)
	if c.room.queued.Add(1) > int64(c.room.p.limits.RoomQueue) {
		c.failed(errOverloaded)
		c.end()
		return
	}
	go func() {
		defer c.end()
		if err := c.room.deliver(ctx, &c.ev); err != nil {
			c.failed(err)
		}
	}()
}

// taken notes that the turn has given itself up, or has ended.
func (c *calling) taken() {
	if c.queued.Swap(false) {
		c.room.queued.Add(-1)
	}
}

func (c *calling) end() {
	c.taken()
	c.room.unuse()
}

// failed notes why the call was not taken.
func (c *calling) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// outcome returns nil if the method has answered, and else what has. It is called when the answer
// is there: that of a call is one piece.
func (c *calling) outcome() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case c.status == http.StatusOK:
		return nil
	}
	return &link.Refused{Status: c.status, Header: c.header, Text: strings.TrimSpace(c.first)}
}

// notCalled is an error of delivery as the caller is to see it, as fail is for requests.
func (p *Platform) notCalled(target storage.Room, method string, err error) error {
	switch {
	case errors.Is(err, errOverloaded):
		return &link.Refused{Status: http.StatusServiceUnavailable, Text: err.Error()}
	case errors.Is(err, ErrClosing), errors.Is(err, context.Canceled):
		return &link.Refused{Status: http.StatusServiceUnavailable, Text: "the server is shutting down"}
	}
	id := rand.Text()
	p.log.Error("call failed", "request", id, "party", target.Party, "room", target.Name, "method", method, "err", err)
	return &link.Refused{Status: http.StatusInternalServerError, Text: "internal error, request " + id}
}
