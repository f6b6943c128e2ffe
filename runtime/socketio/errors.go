package socketio

import (
	"encoding/json"
	"errors"
)

// Errors of emits and acks.
var (
	// ErrDisconnected says that the socket is not connected, or left while an ack was awaited.
	ErrDisconnected = errors.New("socketio: the socket is not connected")
	// ErrTimeout says that an ack did not come in time.
	ErrTimeout = errors.New("operation has timed out")
	// ErrReserved says that an event's name belongs to the library: connect, connect_error, disconnect,
	// disconnecting, newListener or removeListener.
	ErrReserved = errors.New("socketio: reserved event name")
)

// ConnectError, returned by namespace middleware, is what the client's
// connect_error event gets: Message, and Data if it is not nil.
type ConnectError struct {
	Message string
	Data    any
}

func (e *ConnectError) Error() string { return e.Message }

// connectErrorBody is the payload of a refusal.
func connectErrorBody(err error) json.RawMessage {
	body := struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{Message: err.Error()}
	var ce *ConnectError
	if errors.As(err, &ce) {
		body.Message, body.Data = ce.Message, ce.Data
	}
	b, err := marshal(body)
	if err != nil {
		body.Data = nil
		b, _ = marshal(body) // a string can always be encoded
	}
	return b
}
