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

func (i *instance) place() string {
	return url.PathEscape(i.key.Party) + "/" + url.PathEscape(i.key.Name)
}

// extendVia returns the chain of calls with this room at its end.
func (i *instance) extendVia(ctx context.Context) ([]string, error) {
	before, _ := ctx.Value(viaKey{}).([]string)
	via := append(slices.Clone(before), i.place())
	if len(via) > maxCalls {
		return nil, fmt.Errorf("%w: %s", ErrCircle, strings.Join(via, " → "))
	}
	return via, nil
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

// closesCircle answers a request that waits for this room's OnStart, which waits
// for the request: neither would ever end.
func (i *instance) closesCircle(ev *link.Event) bool {
	if (ev.Kind != link.Request && ev.Kind != link.Open) || !i.starting.Load() {
		return false
	}
	via := strings.Fields(ev.Request.Header.Get(viaHeader))
	if !slices.Contains(via, i.place()) {
		return false
	}
	b := link.NewBatch()
	b.Consumed = ev.Seq
	circle := strings.Join(append(via, i.place()), " → ")
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
	return fmt.Errorf("%w: %s; a room must not wait in OnStart for a call that comes back to it", ErrCircle, resp.Header.Get(circleHeader))
}
