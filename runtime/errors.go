package party

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors of storage calls.
var (
	// ErrKeyTooLong says that a key is empty or longer than 2 KiB.
	ErrKeyTooLong = errors.New("party: storage keys are 1 to 2048 bytes long")
	// ErrValueTooLarge says that an encoded value is larger than 2 MiB.
	ErrValueTooLarge = errors.New("party: storage values are at most 2 MiB when encoded")
	// ErrOutsideTurn says that storage or an alarm was used while the room had no turn running:
	// from a goroutine, or inside the function given to Await. Use Do, or do it before or
	// after the await.
	ErrOutsideTurn = errors.New("party: used outside a turn of the room")
)

// Errors of connections and rooms.
var (
	// ErrClosed says that the connection is closed.
	ErrClosed = errors.New("party: connection is closed")
	// ErrStateTooLarge says that a connection's encoded state is larger than 16 KiB.
	ErrStateTooLarge = errors.New("party: connection state is at most 16 KiB when encoded")
	// ErrReleased says that this instance of the room has ended: it hibernated, or
	// newer code has taken the room over.
	ErrReleased = errors.New("party: this instance of the room has ended")
)

// CloseError, returned by OnConnect, closes the connection with its code
// instead of 1011.
type CloseError struct {
	Code   int    // 1000, 1001, 1003, 1007–1014, or 3000–4999; others become 1011
	Reason string // cut to 123 bytes
}

func (e *CloseError) Error() string { return fmt.Sprintf("close %d: %s", e.Code, e.Reason) }

// RejectError is what Reject returns.
type RejectError struct {
	Status int
	Text   string
}

func (e *RejectError) Error() string { return e.Text }

// Reject, returned by a before hook, refuses with this HTTP status and text. A
// status outside 300–599 becomes 401.
func Reject(status int, text string) error {
	if status < 300 || status > 599 {
		status = http.StatusUnauthorized
	}
	return &RejectError{Status: status, Text: text}
}

// PanicError is a panic of a callback, as OnError and OnException see it.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
