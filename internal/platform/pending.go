package platform

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/goparty-dev/party/internal/link"
)

// pending is a request that a room is answering. The room's turns append to
// it without waiting; the request's own goroutine writes.
type pending struct {
	consumed bool // guarded by room.mu
	beside   bool // the handler may not return when the response is complete; set before writeTo

	mu     sync.Mutex
	status int
	header http.Header
	first  string   // part of the body; most responses have one
	rest   []string // further parts
	final  bool
	broken bool          // the response cannot be completed
	more   chan struct{} // made by whoever waits; holds a token when something was added
}

// respond takes part of a response. Called with room.mu held.
func (r *room) respond(e *link.Effect) {
	t := r.tracked[e.Ref]
	if t.request == nil {
		return // the client has gone
	}
	if e.Final {
		delete(r.tracked, e.Ref)
	}
	t.request.add(e)
}

func (q *pending) add(e *link.Effect) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.final {
		return
	}
	q.final = e.Final
	q.broken = e.Code < 0 && q.status != 0
	if e.Code != 0 && q.status == 0 {
		q.status, q.header = max(e.Code, -e.Code), e.Header
	}
	switch {
	case e.Data == "" || q.broken:
	case q.first == "":
		q.first = e.Data
	default:
		q.rest = append(q.rest, e.Data)
	}
	if q.more != nil {
		select {
		case q.more <- struct{}{}:
		default:
		}
	}
}

// fail answers with an error, or breaks the response off if it has begun.
func (q *pending) fail(status int, text string) {
	q.add(&link.Effect{Code: -status, Data: text, Final: true, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}})
}

// errBroken says that a response has begun and will not be completed.
var errBroken = errors.New("the response was broken off")

// writeTo writes the response as it comes, until it is complete. With an error it is incomplete.
func (q *pending) writeTo(ctx context.Context, w http.ResponseWriter) error {
	for begun := false; ; {
		q.mu.Lock()
		status, first, rest, final, broken := q.status, q.first, q.rest, q.final, q.broken
		header := q.header
		q.first, q.rest = "", nil
		if !final && status == 0 || !final && begun && first == "" {
			if q.more == nil {
				q.more = make(chan struct{}, 1)
			}
			q.mu.Unlock()
			select {
			case <-q.more:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		q.mu.Unlock()
		if !begun {
			begun = true
			q.writeHead(w, status, header, first, rest, final)
		}
		for n := -1; n < len(rest); n++ {
			part := first
			if n >= 0 {
				part = rest[n]
			}
			if part == "" {
				continue
			}
			// A body that the status or the announced length has no room for is the room's mistake.
			if _, err := io.WriteString(w, part); err != nil && err != http.ErrBodyNotAllowed && err != http.ErrContentLength {
				return err
			}
		}
		switch {
		case broken:
			return errBroken
		case final:
			return nil
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// smallBody is what net/http measures by itself.
const smallBody = 2 << 10

func (q *pending) writeHead(w http.ResponseWriter, status int, header http.Header, first string, rest []string, final bool) {
	for k, v := range header {
		w.Header()[k] = v
	}
	n := len(first)
	for _, part := range rest {
		n += len(part)
	}
	if final && (q.beside || n >= smallBody) && w.Header().Get("Content-Length") == "" && bodyAllowed(status) {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	w.WriteHeader(status)
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
