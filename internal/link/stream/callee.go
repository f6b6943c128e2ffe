package stream

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
)

// callee is a call that runs in this process.
type callee struct {
	cancel context.CancelFunc
	window *window
}

func (s *server) call(id uint64, c link.Call) {
	ctx, cancel := context.WithCancel(s.ctx)
	running := &callee{cancel: cancel, window: newWindow()}
	s.mu.Lock()
	s.calls[id] = running
	s.mu.Unlock()
	c.Lobby = lobby{s: s, call: id}
	var original io.ReadCloser
	if c.Request != nil {
		c.Request = c.Request.WithContext(ctx)
		original = c.Request.Body
	}
	go func() {
		w := &callWriter{s: s, id: id, ctx: ctx, window: running.window, header: make(http.Header)}
		r := s.run(ctx, c, w)
		if p := r.outcome.Pass; p != nil {
			r.sameBody = untouched(p.Body, original)
		}
		s.sendResult(id, r)
		s.mu.Lock()
		delete(s.calls, id)
		s.mu.Unlock()
		cancel()
	}()
}

// run makes the call. A panic other than http.ErrAbortHandler is the host's own broken
// invariant and ends the process.
func (s *server) run(ctx context.Context, c link.Call, w *callWriter) (r *result) {
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			r = &result{aborted: true}
		}
	}()
	outcome, err := s.host.Call(ctx, c, w)
	w.finish()
	// A response with a gap must not look like a whole one.
	return &result{outcome: outcome, err: err, aborted: w.err != nil}
}

// untouched reports whether now is the original body, of which nothing has been read.
func untouched(now, original io.ReadCloser) bool {
	b, ok := original.(*body)
	same, _ := now.(*body)
	return ok && b == same && b.Len() == len(b.data)
}

func (s *server) sendResult(id uint64, r *result) {
	var body []byte
	if p := r.outcome.Pass; p != nil && !r.sameBody {
		var err error
		if body, err = readBody(p.Body); err != nil {
			r = &result{err: fmt.Errorf("request that a hook passed on: %w", err)}
		}
	}
	if err := s.w.end(appendResult(appendUint(s.w.begin(kindReturn), id), r, body)); err != nil {
		s.w.end(appendResult(appendUint(s.w.begin(kindReturn), id), &result{err: err}, nil))
	}
	s.w.flush()
}

// callWriter is the http.ResponseWriter of a call.
type callWriter struct {
	s      *server
	id     uint64
	ctx    context.Context // of the call
	window *window
	header http.Header
	wrote  bool // the head is final
	buf    []byte
	err    error // part of the response could not be sent
}

var _ http.Flusher = (*callWriter)(nil)

// Header implements http.ResponseWriter.
func (w *callWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter. Like net/http it panics for what is no status.
func (w *callWriter) WriteHeader(status int) {
	if w.wrote {
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status code %d", status))
	}
	w.wrote = status >= 200
	enc := w.s.w
	enc.end(appendHeader(appendInt(appendUint(enc.begin(kindHead), w.id), int64(status)), w.header))
	if !w.wrote {
		enc.flush() // a final head leaves with what follows it
	}
}

// Write implements http.ResponseWriter. It waits when the client is too slow.
func (w *callWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	w.buf = append(w.buf, p...)
	if len(w.buf) < chunkSize {
		return len(p), nil
	}
	if err := w.send(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush implements http.Flusher.
func (w *callWriter) Flush() {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	w.send(true)
}

func (w *callWriter) finish() {
	if w.wrote {
		w.send(false)
	}
}

// send sends what is buffered.
func (w *callWriter) send(flush bool) error {
	data := w.buf
	w.buf = w.buf[:0]
	if w.err != nil || len(data) == 0 && !flush {
		return w.err
	}
	for {
		n, err := w.window.take(len(data), w.ctx.Done(), nil)
		if err != nil {
			w.err = err
			return err
		}
		last := n == len(data)
		enc := w.s.w
		b := appendBool(appendUint(enc.begin(kindChunk), w.id), flush && last)
		enc.end(appendString(b, data[:n]))
		enc.flush()
		if last {
			return nil
		}
		data = data[n:]
	}
}
