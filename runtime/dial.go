package party

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/goparty-dev/party/internal/link"
)

// Socket is the caller's end of a WebSocket to a room, made by [Stub.Dial].
// It belongs to the code that opened it: when that is replaced by a reload, it
// closes. Receive is for one goroutine at a time, the other methods for any.
type Socket struct{ s link.Socket }

// Send sends one message to the room. It may wait for the room.
func (s *Socket) Send(msg Message) error {
	if msg.err != nil {
		return msg.err
	}
	if err := s.s.Send(msg.data, msg.binary); err != nil {
		return socketError(err)
	}
	return nil
}

// Receive returns the room's next message. When the socket has closed, the
// error is ErrClosed, and a *CloseError in it tells how. It blocks, so call it in a
// goroutine or in Await, and use Do to get back into the turn.
func (s *Socket) Receive(ctx context.Context) (Message, error) {
	data, binary, err := s.s.Receive(ctx)
	if err != nil {
		return Message{}, socketError(err)
	}
	return Message{data: data, binary: binary}, nil
}

// Close closes the socket. The code is 1000, 1001, 1003, 1007–1014 or
// 3000–4999; others become 1011. The reason is cut to 123 bytes.
func (s *Socket) Close(code int, reason string) error {
	return s.s.Close(sendableCode(code), cutReason(reason))
}

func socketError(err error) error {
	var closed *link.SocketClosed
	if errors.As(err, &closed) {
		return fmt.Errorf("%w: %w", ErrClosed, &CloseError{Code: closed.Code, Reason: closed.Reason})
	}
	return err
}

// Dial opens a WebSocket to the room, as a client would, but without the
// before hooks. path is added to the room's URL, with its query: "?_pk=bot" names the connection. ctx bounds
// the opening only.
//
// In a turn it is an await, like Fetch.
func (s *Stub) Dial(ctx context.Context, path ...string) (*Socket, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	r, err := http.NewRequest(http.MethodGet, strings.Join(path, ""), nil)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	r = s.withProps(r)
	if s.lobby.i == nil {
		socket, err := s.lobby.up.Dial(ctx, s.key, r)
		if err != nil {
			return nil, err
		}
		return &Socket{socket}, nil
	}
	i := s.lobby.i
	var socket link.Socket
	err = i.callAway(ctx, s.key, func(ctx context.Context, via []string) (err error) {
		r.Header.Set(viaHeader, strings.Join(via, " "))
		socket, err = i.seat.Dial(ctx, s.key, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Socket{socket}, nil
}
