package link

import (
	"context"
	"net/http"

	"github.com/goparty-dev/party/runtime/storage"
)

// Dialer opens sockets to rooms from inside.
type Dialer interface {
	// Dial opens a socket to a room, without hooks. r is the upgrade as the
	// room is to see it; its URL's path and query are added to the room's own. ctx bounds the opening only.
	Dial(ctx context.Context, target storage.Room, r *http.Request) (Socket, error)
}

// Socket is the caller's end of a socket to a room. Receive is for one
// goroutine at a time, the other methods for any.
type Socket interface {
	// Send sends one message. It may wait for the room.
	Send(data string, binary bool) error
	// Receive returns the next message, or a *SocketClosed when there will be none.
	Receive(ctx context.Context) (data string, binary bool, err error)
	// Close ends the socket. Closing twice is no error.
	Close(code int, reason string) error
}

// SocketClosed tells how a Socket ended.
type SocketClosed struct {
	Code   int
	Reason string
}

func (e *SocketClosed) Error() string { return "the socket is closed: " + e.Reason }
