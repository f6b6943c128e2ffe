package stream

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// ask is a question to the platform that is not answered yet.
type ask struct {
	s       *server
	id      uint64
	answers *inbox[answer]
}

// answer is a piece of what the platform answers; which fields are set depends on the question.
type answer struct {
	values  map[string][]byte
	entries []storage.Entry
	data    []byte
	head    *http.Response
	opened  bool
	binary  bool
	closed  *link.SocketClosed
	end     bool
	err     error
}

// ask sends a question.
func (s *server) ask(k kind, payload func([]byte) []byte) (*ask, error) {
	a := &ask{s: s, answers: newInbox[answer]()}
	s.mu.Lock()
	s.last++
	a.id = s.last
	s.asks[a.id] = a
	s.mu.Unlock()
	if err := s.w.end(payload(appendUint(s.w.begin(k), a.id))); err != nil {
		a.forget()
		if _, tooLarge := err.(sizeError); !tooLarge {
			err = errPlatformGone
		}
		return nil, err
	}
	s.w.flush()
	return a, nil
}

// forget reports whether the question was still open.
func (a *ask) forget() bool {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	_, open := a.s.asks[a.id]
	delete(a.s.asks, a.id)
	return open
}

// abandon tells the platform that the answer is not wanted any more.
func (a *ask) abandon() {
	if a.forget() {
		w := a.s.w
		w.end(appendUint(w.begin(kindCancel), a.id))
		w.kick()
	}
}

// next waits for a piece of the answer.
func (a *ask) next(ctx context.Context) (answer, error) {
	got, ok := a.answers.take(a.s.ctx.Done(), ctx.Done())
	switch {
	case ok:
		return got, nil
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	default:
		return answer{}, errPlatformGone
	}
}

// load asks a question that has one answer.
func (s *server) load(ctx context.Context, k kind, payload func([]byte) []byte) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	a, err := s.ask(k, payload)
	if err != nil {
		return answer{}, err
	}
	got, err := a.next(ctx)
	if err != nil {
		a.abandon()
		return answer{}, err
	}
	a.forget()
	return got, got.err
}

// answered takes a piece of an answer from the reader.
func (s *server) answered(k kind, id uint64, d *decoder) error {
	var got answer
	switch k {
	case kindValues:
		got.values = d.values()
	case kindEntries:
		got.entries = list(d, 2, (*decoder).entry)
	case kindAsset, kindChunk:
		got.data = d.bytes()
	case kindHead:
		got.head = d.head()
	case kindOpened:
		got.opened = true
	case kindMessage:
		got.binary = d.bool()
		got.data = d.bytes()
	case kindClosed:
		got.closed = &link.SocketClosed{Code: int(d.int()), Reason: d.string()}
	case kindDone, kindEOF:
		got.end, got.err = true, d.error()
	default:
		return errMalformed
	}
	if err := d.done(); err != nil {
		return err
	}
	s.mu.Lock()
	a := s.asks[id]
	s.mu.Unlock()
	if a != nil {
		a.answers.put(got)
	}
	return nil
}

func (d *decoder) head() *http.Response {
	r := &http.Response{StatusCode: int(d.int()), Header: d.header(), ContentLength: d.int()}
	r.Status = fmt.Sprintf("%d %s", r.StatusCode, http.StatusText(r.StatusCode))
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	return r
}

// origin is who sends a request: the room, or the call, that is not 0.
type origin struct{ room, call uint64 }

// fetch sends a request to a room. Its body is read first and closed.
func (s *server) fetch(ctx context.Context, from origin, target storage.Room, r *http.Request) (*http.Response, error) {
	body, err := readBody(r.Body)
	if r.Body != nil {
		r.Body.Close()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", target, err)
	}
	a, err := s.ask(kindFetch, func(b []byte) []byte {
		b = appendUint(appendUint(b, from.room), from.call)
		return appendRequest(appendRoom(b, target), r, body)
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", target, err)
	}
	got, err := a.next(ctx)
	switch {
	case err != nil:
		a.abandon()
		return nil, fmt.Errorf("fetch %s: %w", target, err)
	case got.head == nil:
		a.forget()
		if got.err == nil {
			got.err = errMalformed
		}
		return nil, fmt.Errorf("fetch %s: %w", target, got.err)
	}
	got.head.Request = r
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, a.abandon)
	got.head.Body = &fetchBody{ask: a, ctx: ctx, cancel: cancel}
	return got.head, nil
}

// fetchBody is the body of a response that is still coming.
type fetchBody struct {
	ask    *ask
	ctx    context.Context // ends with that of the fetch and with the body
	cancel context.CancelFunc
	data   []byte
	err    error
}

var _ io.ReadCloser = (*fetchBody)(nil)

func (b *fetchBody) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		got, err := b.ask.next(b.ctx)
		switch {
		case err != nil:
			b.err = err
		case got.end:
			b.err = got.err
			if b.err == nil {
				b.err = io.EOF
			}
			b.ask.forget()
			b.cancel()
		default:
			b.data = got.data
			b.credit(len(got.data))
		}
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// credit lets the platform send as much again.
func (b *fetchBody) credit(n int) {
	w := b.ask.s.w
	w.end(appendUint(appendUint(w.begin(kindCredit), b.ask.id), uint64(n)))
	w.flush()
}

// Close gives up what has not been read. A Read that waits fails.
func (b *fetchBody) Close() error {
	b.cancel()
	return nil
}
