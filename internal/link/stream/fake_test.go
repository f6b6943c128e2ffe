package stream

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// fakeHost runs in the place of user code.
type fakeHost struct {
	info    link.Info
	turn    func(i *fakeRoom, ev *link.Event) // consumes the event at its end if it has not before
	evicted func(i *fakeRoom)                 // if set, is called before the instance takes the turn to end
	call    func(ctx context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error)

	mu    sync.Mutex
	rooms []*fakeRoom
}

func (h *fakeHost) Info() link.Info { return h.info }

func (h *fakeHost) Wake(w link.Wake) link.Room {
	r := &fakeRoom{h: h, Wake: w, turn: make(turnLock, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rooms = append(h.rooms, r)
	return r
}

func (h *fakeHost) Call(ctx context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error) {
	return h.call(ctx, c, w)
}

// turnLock is a mutex that synctest sees goroutines wait for.
type turnLock chan struct{}

func (l turnLock) Lock()   { l <- struct{}{} }
func (l turnLock) Unlock() { <-l }

// fakeRoom is an instance: its turns exclude each other, except in await.
type fakeRoom struct {
	link.Wake
	h *fakeHost

	turn     turnLock
	consumed bool // by the running turn
	released bool
	keeps    bool // the running turn consumes nothing
}

func (r *fakeRoom) Deliver(ev *link.Event) bool {
	r.turn.Lock()
	defer r.turn.Unlock()
	if r.released {
		return false
	}
	r.consumed, r.keeps = false, false
	r.h.turn(r, ev)
	if !r.consumed && !r.keeps && !r.released {
		r.apply(ev)
	}
	return true
}

// apply consumes the event with some effects.
func (r *fakeRoom) apply(ev *link.Event, effects ...link.Effect) {
	b := link.NewBatch()
	if !r.consumed {
		b.Consumed = ev.Seq
	}
	r.consumed = true
	b.Effects = append(b.Effects, effects...)
	r.Seat.Apply(b)
}

// await gives the turn up while fn runs.
func (r *fakeRoom) await(ev *link.Event, fn func()) {
	r.apply(ev)
	r.turn.Unlock()
	if y := ev.Yielded; y != nil {
		ev.Yielded = nil
		y()
	}
	fn()
	r.turn.Lock()
	r.consumed = true
}

func (r *fakeRoom) release() {
	r.released = true
	r.Seat.Release(nil)
}

func (r *fakeRoom) Evict(time.Duration) {
	go func() {
		if r.h.evicted != nil {
			r.h.evicted(r)
		}
		r.turn.Lock()
		defer r.turn.Unlock()
		if !r.released {
			r.release()
		}
	}()
}

// fakeSeat is the platform's side of a room, or of a call. It records what comes.
type fakeSeat struct {
	get   func(ctx context.Context, keys []string) (map[string][]byte, error)
	list  func(ctx context.Context, r storage.Range) ([]storage.Entry, error)
	sync  func(ctx context.Context) error
	fetch func(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error)

	assets map[string]string

	batches  chan *link.Batch
	released chan []*link.Event
}

func newSeat() *fakeSeat {
	return &fakeSeat{batches: make(chan *link.Batch, 100_000), released: make(chan []*link.Event, 1)}
}

func (s *fakeSeat) Apply(b *link.Batch)        { s.batches <- b }
func (s *fakeSeat) Release(left []*link.Event) { s.released <- left }

func (s *fakeSeat) Get(ctx context.Context, keys []string) (map[string][]byte, error) {
	return s.get(ctx, keys)
}

func (s *fakeSeat) List(ctx context.Context, r storage.Range) ([]storage.Entry, error) {
	return s.list(ctx, r)
}

func (s *fakeSeat) Sync(ctx context.Context) error { return s.sync(ctx) }

func (s *fakeSeat) Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	return s.fetch(ctx, target, r)
}

func (s *fakeSeat) Asset(_ context.Context, path string) ([]byte, error) {
	if data, ok := s.assets[path]; ok {
		return []byte(data), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// Dial opens a socket that sends back what it is sent, in capitals, and closes as it is told.
func (s *fakeSeat) Dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	if target.Name == "refuses" {
		return nil, errors.New("it answered 403")
	}
	return &echoSocket{greeting: target.Name + " " + r.URL.Path, out: newInbox[outgoing]()}, nil
}

type echoSocket struct {
	greeting string
	out      *inbox[outgoing]
}

func (c *echoSocket) Send(data string, binary bool) error {
	c.out.put(outgoing{data: strings.ToUpper(data), binary: binary})
	return nil
}

func (c *echoSocket) Receive(ctx context.Context) (string, bool, error) {
	if g := c.greeting; g != "" {
		c.greeting = ""
		return g, false, nil
	}
	m, ok := c.out.take(ctx.Done(), nil)
	switch {
	case !ok:
		return "", false, ctx.Err()
	case m.close != nil:
		return "", false, m.close
	}
	return m.data, m.binary, nil
}

func (c *echoSocket) Close(code int, reason string) error {
	c.out.put(outgoing{close: &link.SocketClosed{Code: code, Reason: reason}})
	return nil
}

// rig is both ends of a stream.
type rig struct {
	*Host
	conn net.Conn // the host's end
}

// connect joins a platform and a host by two ends of a connection. Both are down when the test ends.
func connect(t testing.TB, host link.Host, ours, theirs net.Conn) *rig {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- Serve(theirs, func(Init) (link.Host, error) { return host, nil }) }()
	h, err := Connect(context.Background(), ours, Init{})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	r := &rig{Host: h, conn: theirs}
	t.Cleanup(func() {
		h.Close()
		if err := <-served; err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

func pipe(t testing.TB, host link.Host) *rig {
	t.Helper()
	ours, theirs := net.Pipe()
	return connect(t, host, ours, theirs)
}

func (r *rig) wake(seat link.Seat) link.Room {
	return r.Wake(link.Wake{Room: storage.Room{Party: "chat", Name: "a"}, Fence: 1, Seat: seat})
}

func message(seq uint64, data string) *link.Event {
	return &link.Event{Kind: link.Message, Seq: seq, Session: 1, Data: data}
}

// echo answers every message to its sender.
func echo(i *fakeRoom, ev *link.Event) {
	i.apply(ev, link.Effect{Op: link.Send, Session: ev.Session, Data: ev.Data, Binary: ev.Binary})
}

// nobody answers no call.
func nobody(context.Context, link.Call, http.ResponseWriter) (link.Outcome, error) {
	return link.Outcome{}, nil
}

// deafSeat ignores everything.
type deafSeat struct{ link.Seat }

func (deafSeat) Apply(b *link.Batch)        { b.Free() }
func (deafSeat) Release([]*link.Event)      {}
func (deafSeat) Sync(context.Context) error { return nil }
func (deafSeat) Get(context.Context, []string) (map[string][]byte, error) {
	return map[string][]byte{}, nil
}

func (deafSeat) List(context.Context, storage.Range) ([]storage.Entry, error) { return nil, nil }

func (deafSeat) Fetch(context.Context, storage.Room, *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
}
