//go:build unix

package hosting

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// stream does something that takes a while and tells the caller what happens, an event a line. If the caller goes, it
// goes on. The last event is api.Done or api.Failed. handedOver ends the telling with the hand-over. With an error nothing
// was done.
func (h *Host) stream(c *call, url string, handedOver bool, do func(ctx context.Context, emit func(api.Event)) error) error {
	events := make(chan api.Event, 256)
	emit := func(ev api.Event) {
		ev.Time = time.Now().UTC()
		select {
		case events <- ev:
		default: // so many that nobody reads them
		}
	}
	begun := h.task(func() {
		defer close(events)
		if err := do(h.running, emit); err != nil {
			p := asProblem(err)
			emit(api.Event{Kind: api.Failed, Code: p.Code, Reason: p.Error()})
			return
		}
		emit(api.Event{Kind: api.Done, URL: url})
	})
	if !begun {
		return errStopped
	}
	c.w.Header().Set("Content-Type", api.StreamType)
	c.w.WriteHeader(http.StatusOK)
	enc, out := json.NewEncoder(c.w), http.NewResponseController(c.w)
	_ = out.Flush()
	for {
		select {
		case ev, more := <-events:
			if !more {
				return nil
			}
			if enc.Encode(ev) != nil || out.Flush() != nil {
				return nil // whoever asked has gone
			}
			if handedOver && ev.Kind == api.HandedOver {
				_ = enc.Encode(api.Event{Kind: api.Done, Time: time.Now().UTC(), URL: url}) // as above
				return nil
			}
		case <-c.r.Context().Done():
			return nil
		}
	}
}
