package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// A socket to a room is a question of the host with many answers: what the
// room sends, and how it ended. What the host sends goes up with the question's number.

// Frames of sockets to rooms.
const (
	kindDial    kind = iota + 160 // up: ask, handle, call, target, request; handle is 0 outside rooms
	kindOpened                    // down: ask: answers kindDial
	kindMessage                   // both ways: ask, binary, data
	kindClosed                    // both ways: ask, code, reason
)

// outgoing is what a host sends to a room through a socket.
type outgoing struct {
	data   string
	binary bool
	close  *link.SocketClosed
}

// dial opens a socket and carries it until it ends.
func (l *load) dial(ctx context.Context, by link.Dialer, target storage.Room, r *request) {
	socket, err := by.Dial(ctx, target, r.WithContext(ctx))
	if err != nil {
		l.done(err)
		return
	}
	l.reply(kindOpened, func(b []byte) []byte { return b })
	gone := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { l.send(ctx, socket, gone) })
	defer writer.Wait()
	defer socket.Close(1001, "the other end has gone") // also ends a Send that waits
	defer close(gone)
	for {
		data, binary, err := socket.Receive(ctx)
		var closed *link.SocketClosed
		switch {
		case errors.As(err, &closed):
			l.reply(kindClosed, func(b []byte) []byte { return appendString(appendInt(b, int64(closed.Code)), closed.Reason) })
			return
		case err != nil:
			return // the host has gone, or given the socket up
		}
		for left := cost(data); left > 0; {
			n, err := l.window.take(left, ctx.Done(), nil)
			if err != nil {
				return
			}
			left -= n
		}
		l.reply(kindMessage, func(b []byte) []byte { return appendString(appendBool(b, binary), data) })
	}
}

// cost is what a message takes of the window. One larger than the window fills it.
func cost[T string | []byte](data T) int { return min(len(data)+1, windowSize) }

// send hands on what the host sends. The reader of the stream does not wait for the room.
func (l *load) send(ctx context.Context, socket link.Socket, gone <-chan struct{}) {
	for {
		m, ok := l.out.take(ctx.Done(), gone)
		switch {
		case !ok:
			return
		case m.close != nil:
			socket.Close(m.close.Code, m.close.Reason)
		default:
			if socket.Send(m.data, m.binary) != nil {
				return // Receive tells how it ended
			}
		}
	}
}

// said takes what the host sends through a socket.
func (h *Host) said(k kind, id uint64, d *decoder) error {
	var m outgoing
	if k == kindClosed {
		m.close = &link.SocketClosed{Code: int(d.int()), Reason: d.string()}
	} else {
		m.binary, m.data = d.bool(), d.string()
	}
	if err := d.done(); err != nil {
		return err
	}
	h.mu.Lock()
	l := h.asks[id]
	h.mu.Unlock()
	if l != nil && l.out != nil {
		l.out.put(m)
	}
	return nil
}

// dial opens a socket from the host's side.
func (s *server) dial(ctx context.Context, from origin, target storage.Room, r *http.Request) (link.Socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, err := s.ask(kindDial, func(b []byte) []byte {
		return appendRequest(appendRoom(appendUint(appendUint(b, from.room), from.call), target), r, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("dial room %s: %w", target, err)
	}
	got, err := a.next(ctx)
	switch {
	case err != nil:
		a.abandon()
		return nil, err
	case !got.opened:
		a.forget()
		return nil, got.err
	}
	return &dialed{ask: a}, nil
}

// dialed is the host's end of a socket to a room.
type dialed struct {
	ask  *ask
	once sync.Once
	how  *link.SocketClosed // once ended; owned by whoever receives
}

// Send implements link.Socket.
func (c *dialed) Send(data string, binary bool) error {
	w := c.ask.s.w
	if err := w.end(appendString(appendBool(appendUint(w.begin(kindMessage), c.ask.id), binary), data)); err != nil {
		return fmt.Errorf("send to a room: %w", err)
	}
	w.flush()
	return nil
}

// Receive implements link.Socket.
func (c *dialed) Receive(ctx context.Context) (string, bool, error) {
	if c.how != nil {
		return "", false, c.how
	}
	got, err := c.ask.next(ctx)
	switch {
	case errors.Is(err, errPlatformGone):
		c.how = &link.SocketClosed{Code: 1006, Reason: "the connection broke"}
		return "", false, c.how
	case err != nil:
		return "", false, err
	case got.closed != nil:
		c.ask.forget()
		c.how = got.closed
		return "", false, c.how
	case got.end:
		c.ask.forget()
		c.how = &link.SocketClosed{Code: 1006, Reason: "the connection broke"}
		return "", false, c.how
	}
	w := c.ask.s.w
	w.end(appendUint(appendUint(w.begin(kindCredit), c.ask.id), uint64(cost(got.data))))
	w.flush()
	return string(got.data), got.binary, nil
}

// Close implements link.Socket.
func (c *dialed) Close(code int, reason string) error {
	c.once.Do(func() {
		w := c.ask.s.w
		w.end(appendString(appendInt(appendUint(w.begin(kindClosed), c.ask.id), int64(code)), reason))
		w.flush()
	})
	return nil
}

// Dial implements link.Dialer.
func (t *seat) Dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	return t.s.dial(ctx, origin{room: t.handle}, target, r)
}

// Dial implements link.Dialer.
func (l lobby) Dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	return l.s.dial(ctx, origin{call: l.call}, target, r)
}

// Dial implements link.Dialer.
func (noSeat) Dial(context.Context, storage.Room, *request) (link.Socket, error) {
	return nil, errReleased
}
