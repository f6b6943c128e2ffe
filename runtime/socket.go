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

// OnConnect starts the function, which runs for as long as the socket is open.
func (v *socketRoom) OnConnect(_ context.Context, conn *Conn, r *http.Request) error {
	ctx, stop := v.i.awaits.begin(v.i.ctx)
	conn.inbox = newInbox(ctx)
	go func() {
		defer stop()
		v.serve(ctx, conn, r.WithContext(ctx))
	}()
	return nil
}

func (v *socketRoom) serve(ctx context.Context, conn *Conn, r *http.Request) {
	err := safely(func() error {
		return v.host.app.Socket(ctx, conn, r, &Lobby{host: v.host, i: v.i})
	})
	if ctx.Err() != nil {
		return // newer code takes the socket over
	}
	var ce *CloseError
	switch {
	case err == nil, errors.Is(err, ErrClosed):
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
func (c *Conn) Receive(ctx context.Context) (Message, error) {
	if c.inbox == nil {
		return Message{}, errors.New("party: Receive is for //party:socket functions, rooms have OnMessage")
	}
	return c.inbox.get(ctx)
}

// inbox holds messages for Receive.
type inbox struct {
	messages chan Message
	gone     chan struct{}
	end      <-chan struct{} // the function's context
}

func newInbox(ctx context.Context) *inbox {
	return &inbox{messages: make(chan Message, 16), gone: make(chan struct{}), end: ctx.Done()}
}

// put waits for a place, which holds the sender back.
func (b *inbox) put(ctx context.Context, m Message) {
	select {
	case b.messages <- m:
	case <-b.end:
	case <-ctx.Done():
	}
}

func (b *inbox) close() { close(b.gone) }

func (b *inbox) get(ctx context.Context) (Message, error) {
	select {
	case m := <-b.messages:
		return m, nil
	case <-b.gone:
		select {
		case m := <-b.messages: // what came before the end
			return m, nil
		default:
			return Message{}, ErrClosed
		}
	case <-ctx.Done():
		return Message{}, ctx.Err()
	}
}
