package party

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// ErrCircle says that rooms call each other in a circle. The error's text names it.
var ErrCircle = errors.New("party: rooms call each other in a circle")

const (
	// viaHeader lists the rooms that a call inside has come through. The gateway
	// strips it from what comes from outside.
	viaHeader = "X-Party-Via"
	// circleHeader marks the answer of a room that cannot take a call because
	// it waits for the caller.
	circleHeader = "X-Party-Circle"
	// maxCalls is how many rooms may call each other in a chain.
	maxCalls = 32
)

// viaKey finds the chain of calls in the context of a request from inside.
type viaKey struct{}

func (i *instance) place() string { return place(i.key) }

func place(key storage.Room) string {
	return url.PathEscape(key.Party) + "/" + url.PathEscape(key.Name)
}

// callAway runs a call of another room as an await. do is given the chain of calls with this room at its end.
func (i *instance) callAway(ctx context.Context, target storage.Room, do func(ctx context.Context, via []string) error) error {
	before, _ := ctx.Value(viaKey{}).([]string)
	via := append(slices.Clone(before), i.place())
	if len(via) > maxCalls {
		return fmt.Errorf("%w: %s", ErrCircle, strings.Join(via, " → "))
	}
	circle, end := i.host.starts.begin(via, place(target), i.starting.Load())
	if circle != nil {
		return startCircle(strings.Join(append(via, circle...), " → "))
	}
	defer end()
	return i.await(ctx, func(ctx context.Context) error { return do(ctx, via) })
}

// startContext is what OnStart gets: it ends with the instance, and is part of the chain of calls that started the room.
func (i *instance) startContext(ev *link.Event) context.Context {
	if ev == nil {
		return i.ctx
	}
	var via []string
	switch {
	case ev.Invocation != nil:
		via = ev.Invocation.Via
	case ev.Request != nil:
		via, _ = ev.Request.Context().Value(viaKey{}).([]string)
	}
	if len(via) == 0 {
		return i.ctx
	}
	return context.WithValue(i.ctx, viaKey{}, via)
}

// takeVia moves the chain from an event's request into its context.
func takeVia(ev *link.Event) {
	if ev.Request == nil {
		return
	}
	v := ev.Request.Header.Get(viaHeader)
	if v == "" {
		return
	}
	ev.Request.Header.Del(viaHeader)
	ev.Request = ev.Request.WithContext(context.WithValue(ev.Request.Context(), viaKey{}, strings.Fields(v)))
}

// viaOf returns the chain of calls that an event has come through.
func viaOf(ev *link.Event) []string {
	if ev.Invocation != nil {
		return ev.Invocation.Via
	}
	return strings.Fields(ev.Request.Header.Get(viaHeader))
}

// closesCircle answers a request that waits for this room's OnStart, which waits
// for the request: neither would ever end.
func (i *instance) closesCircle(ev *link.Event) bool {
	if (ev.Kind != link.Request && ev.Kind != link.Open) || !i.starting.Load() {
		return false
	}
	via := viaOf(ev)
	if !slices.Contains(via, i.place()) {
		return false
	}
	b := link.NewBatch()
	b.Consumed = ev.Seq
	circle := strings.Join(append(slices.Clip(via), i.place()), " → ")
	if ev.Kind == link.Open {
		b.Effects = append(b.Effects, link.Effect{Op: link.Deny, Session: ev.Session, Code: http.StatusLoopDetected, Data: "rooms call each other in a circle: " + circle + "\n"})
	} else {
		b.Effects = append(b.Effects, link.Effect{
			Op: link.Respond, Ref: ev.Seq, Final: true, Code: http.StatusLoopDetected,
			Header: http.Header{circleHeader: {circle}}, Data: "rooms call each other in a circle\n",
		})
	}
	i.outbox.mu.Lock()
	i.seat.Apply(b)
	i.outbox.mu.Unlock()
	return true
}

// circleError turns the answer of closesCircle into an error.
func circleError(resp *http.Response) error {
	if resp == nil || resp.StatusCode != http.StatusLoopDetected || resp.Header.Get(circleHeader) == "" {
		return nil
	}
	resp.Body.Close()
	return startCircle(resp.Header.Get(circleHeader))
}

func startCircle(circle string) error {
	return fmt.Errorf("%w: %s; a room must not wait in OnStart for a call that comes back to it", ErrCircle, circle)
}
