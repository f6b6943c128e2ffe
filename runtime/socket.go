package party

import (
	"context"
	"errors"
	"net/http"
)

// socketRoom is the room of one socket that a //party:socket function serves.
type socketRoom struct {
	Room
	host *Host
}

func (h *Host) socketDefinition() *Definition {
	return &Definition{Type: "socket function", New: func() Instance {
		v := &socketRoom{host: h}
		return Instance{Room: &v.Room, Connect: v}
	}}
}

// OnConnect starts the function. Its context ends when the client is gone or newer code takes the socket over.
func (v *socketRoom) OnConnect(_ context.Context, conn *Conn, r *http.Request) error {
	here, stop := v.i.awaits.begin(v.i.ctx)
	ctx, left := context.WithCancel(here)
	conn.inbox = newInbox(left)
	go func() {
		defer stop()
		defer left()
		err := safely(func() error {
			return v.host.app.Socket(ctx, conn, r.WithContext(ctx), &Lobby{host: v.host, i: v.i})
		})
		if here.Err() == nil {
			v.end(conn, err)
		}
	}()
	return nil
}

// end closes the socket of a function that has returned.
func (v *socketRoom) end(conn *Conn, err error) {
	var ce *CloseError
	switch {
	case err == nil, errors.Is(err, ErrClosed), errors.Is(err, context.Canceled) && conn.shut.Load():
		conn.i.emitClose(conn, 1000, "")
	case errors.As(err, &ce):
		conn.i.emitClose(conn, ce.Code, ce.Reason)
	default:
		v.i.logError("socket function", err)
		conn.i.emitClose(conn, 1011, "internal error")
	}
}

// Receive returns the connection's next message. It is for functions marked
// //party:socket, one goroutine at a time; a room gets its messages by OnMessage. It
// fails with ErrClosed when the client is gone, or with ctx.
//
// Up to 1 MiB of messages wait for it. A client that sends more is held back.
func (c *Conn) Receive(ctx context.Context) (Message, error) {
	if c.inbox == nil {
		return Message{}, errors.New("party: Receive is for //party:socket functions, rooms have OnMessage")
	}
	return c.inbox.get(ctx)
}
