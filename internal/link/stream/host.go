package stream

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/goparty-dev/party/internal/link"
)

// Host is a host in another process, as the platform sees it. What the process leaves behind when it
// dies is given back to the seats, see [Host.Done].
//
// Event.Yielded is never called: Deliver returns when the event is on its way,
// so nobody waits for the turn.
type Host struct {
	// Set by Connect, then read-only.
	conn net.Conn
	w    *writer
	info link.Info
	ctx  context.Context // ends with the stream
	stop context.CancelFunc
	done chan struct{}

	loads sync.WaitGroup // goroutines that answer the host, and the reader

	mu       sync.Mutex // guards what follows
	err      error      // why the stream has ended
	closed   bool       // by Close
	draining bool
	last     uint64 // handle or number given out
	rooms    map[uint64]*room
	calls    map[uint64]*call
	idle     chan struct{} // closed when no call runs any more; made by Drain
	asks     map[uint64]*load
	lobby    link.Lobby // of the latest call
}

var _ link.Host = (*Host)(nil)

// Connect greets the process at the other end of conn and waits until it is
// ready to serve, or ctx ends. It owns conn from then on, and closes it
// if it fails: because the process speaks another version, could not start, or is gone.
func Connect(ctx context.Context, conn net.Conn, init Init) (*Host, error) {
	h := &Host{
		conn: conn, w: newWriter(conn), done: make(chan struct{}),
		rooms: make(map[uint64]*room), calls: make(map[uint64]*call), asks: make(map[uint64]*load),
	}
	r := newFrameReader(conn)
	info, err := greet(ctx, conn, r, h.w, init)
	if err != nil {
		conn.Close()
		return nil, err
	}
	h.info = info
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.loads.Go(func() { h.end(h.read(r)) })
	return h, nil
}

// Info implements link.Host.
func (h *Host) Info() link.Info { return h.info }

// Done is closed when the stream has ended: the process is gone, or what it
// said made no sense, or Close was called. After that, and only then, the seats of its rooms are
// released, with the events that were not consumed; unless Close was called, the first
// of each room has one more in Deaths.
func (h *Host) Done() <-chan struct{} { return h.done }

// Err says why the stream has ended; nil before, and after Close. The error is link.ErrHostGone.
func (h *Host) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Close ends the stream and returns when nothing of it runs any more. The process
// notices and ends. It must not be called from a method of a seat or a lobby.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.conn.Close()
	h.loads.Wait()
	return nil
}

// Drain refuses new calls, with link.ErrHostGone, and waits until those that
// run have ended. If ctx ends first, their contexts are cancelled and its
// error is returned. Rooms are not touched.
func (h *Host) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	if h.idle == nil {
		h.idle = make(chan struct{})
		if len(h.calls) == 0 {
			close(h.idle)
		}
	}
	idle := h.idle
	h.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-h.done:
		return nil
	case <-ctx.Done():
	}
	h.mu.Lock()
	calls := make([]uint64, 0, len(h.calls))
	for id := range h.calls {
		calls = append(calls, id)
	}
	h.mu.Unlock()
	for _, id := range calls {
		h.endCall(id)
	}
	return fmt.Errorf("drain the host: %w", ctx.Err())
}

// Wake implements link.Host.
func (h *Host) Wake(wake link.Wake) link.Room {
	r := &room{h: h, seat: wake.Seat}
	r.progress.L = &r.mu
	h.mu.Lock()
	if h.rooms == nil {
		h.mu.Unlock()
		r.released = true
		go r.seat.Release(nil)
		return r
	}
	h.last++
	r.handle = h.last
	h.rooms[r.handle] = r
	h.mu.Unlock()
	h.w.wake(r.handle, &wake)
	return r
}

// wake sends as many frames as the sessions need. The events that follow come
// from whoever has woken the room, so order is kept.
func (w *writer) wake(handle uint64, wake *link.Wake) {
	const enough = maxFrame / 64
	var group []byte
	for n := 0; n < len(wake.Sessions); {
		group = group[:0]
		first := n
		for ; n < len(wake.Sessions) && len(group) < enough; n++ {
			group = appendSession(group, &wake.Sessions[n])
		}
		b := appendUint(w.begin(kindSessions), handle)
		b = appendUint(b, uint64(n-first))
		w.end(append(b, group...))
	}
	w.end(appendWake(appendUint(w.begin(kindWake), handle), wake))
	w.kick()
}

// end tears the stream down after its reader has returned err.
func (h *Host) end(err error) {
	h.conn.Close()
	h.mu.Lock()
	closed := h.closed
	switch {
	case closed:
	case ended(err):
		h.err = fmt.Errorf("%w: its process ended", link.ErrHostGone)
	default:
		h.err = fmt.Errorf("%w: %w", link.ErrHostGone, err)
	}
	rooms := h.rooms
	h.rooms = nil
	h.mu.Unlock()
	h.stop()
	close(h.done)
	for _, r := range rooms {
		r.end(!closed)
	}
}
