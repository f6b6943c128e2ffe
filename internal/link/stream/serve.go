package stream

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/goparty-dev/party/internal/link"
)

// server is the end of the stream in the host process.
type server struct {
	// Set before it runs, then read-only.
	host link.Host
	w    *writer
	ctx  context.Context // ends with the stream

	// Owned by the reader.
	sessions map[uint64][]link.Session // by room: of wakes that are still to come

	mu    sync.Mutex // guards what follows
	seats map[uint64]*seat
	calls map[uint64]*callee
	asks  map[uint64]*ask
	last  uint64 // number given to a question
}

// Serve greets the platform at the other end of conn, makes the host with
// start, and runs it until the platform closes the stream, which is no error.
// It closes conn. An error of start is passed on to the platform and returned.
//
// Turns and calls that still run when Serve returns have their contexts cancelled
// and no effect any more; Serve does not wait for them, so that a process whose
// platform is gone can end.
func Serve(conn net.Conn, start func(Init) (link.Host, error)) error {
	defer conn.Close()
	r := newFrameReader(conn)
	w := newWriter(conn)
	host, err := welcome(r, w, start)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s := &server{
		host: host, w: w, ctx: ctx, sessions: make(map[uint64][]link.Session),
		seats: make(map[uint64]*seat), calls: make(map[uint64]*callee), asks: make(map[uint64]*ask),
	}
	err = s.read(r)
	s.mu.Lock()
	seats := s.seats
	s.seats = nil
	s.mu.Unlock()
	for _, seat := range seats {
		seat.end()
	}
	if ended(err) {
		return nil
	}
	return fmt.Errorf("serve the platform: %w", err)
}

// read handles frames until the stream ends. Like the platform's reader it
// waits for nothing but the next frame.
func (s *server) read(r *frameReader) error {
	var d decoder
	for {
		k, payload, err := r.next()
		if err != nil {
			return err
		}
		d = decoder{b: payload}
		if err := s.handle(k, &d); err != nil {
			return fmt.Errorf("frame of kind %d: %w", k, err)
		}
	}
}

func (s *server) handle(k kind, d *decoder) error {
	id := d.uint() // of a room, a call or a question, depending on the kind
	switch k {
	case kindEvent:
		ev := d.event()
		if err := d.done(); err != nil {
			return err
		}
		if seat := s.seat(id); seat != nil {
			seat.push(ev)
		}
	case kindEnded:
		seq := d.uint()
		if seat := s.seat(id); seat != nil {
			seat.endContext(seq)
		}
		return d.done()
	case kindSessions:
		sessions := list(d, minSession, (*decoder).session)
		s.sessions[id] = append(s.sessions[id], sessions...)
		return d.done()
	case kindWake:
		wake := d.wake()
		if err := d.done(); err != nil {
			return err
		}
		s.wake(id, wake)
	case kindEvict:
		grace := d.duration()
		if err := d.done(); err != nil {
			return err
		}
		if seat := s.seat(id); seat != nil {
			seat.evict(grace)
		}
	case kindCall:
		c := d.call()
		if err := d.done(); err != nil {
			return err
		}
		s.call(id, c)
	case kindCallEnd:
		if c := s.callee(id); c != nil {
			c.cancel()
		}
		return d.done()
	case kindCredit:
		n := d.uint()
		if c := s.callee(id); c != nil {
			c.window.grant(n)
		}
		return d.done()
	default:
		return s.answered(k, id, d)
	}
	return nil
}

func (s *server) seat(handle uint64) *seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seats[handle]
}

func (s *server) callee(id uint64) *callee {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}

func (s *server) wake(handle uint64, wake link.Wake) {
	wake.Sessions = s.sessions[handle]
	delete(s.sessions, handle)
	for n := range wake.Sessions {
		if r := wake.Sessions[n].Request; r != nil {
			wake.Sessions[n].Request = r.WithContext(s.ctx)
		}
	}
	seat := &seat{s: s, handle: handle, key: wake.Room}
	s.mu.Lock()
	s.seats[handle] = seat
	s.mu.Unlock()
	wake.Seat = seat
	seat.inst = s.host.Wake(wake)
}
