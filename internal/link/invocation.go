package link

import (
	"context"
	"net/http"

	"github.com/goparty-dev/party/runtime/storage"
)

// Invocation is a call of a room's method by other code in the same process: values
// change hands, and nothing is encoded. Between processes a call is a Request.
type Invocation struct {
	// Context ends with the call. It is here for the reason that an http.Request has one: the event outlives no call.
	Context context.Context
	Method  string
	Via     []string // the rooms that the call has come through
	Props   []byte   // for the room's start, encoded
	Args    any      // the callee's own

	// The callee sets these before it answers by a Respond effect; they count only when that has left with code 200.
	Results any
	Failure []byte // the method's error, encoded; nil: none
}

// Invoker is what a Seat and a Lobby are too, if rooms in the same process can be called by values.
type Invoker interface {
	// Invoke calls a method as a turn of target, and waits for its answer. False means that
	// the room is in another process and nothing has happened: Fetch is the way. An error, which may be a
	// *Refused, is not the method's.
	Invoke(ctx context.Context, target storage.Room, c *Invocation) (bool, error)
}

// Invocable is a Room that takes Request events with an Invocation: one in this process.
type Invocable interface {
	Room
	Invocable()
}

// Refused says that a call was answered by something else than the method.
type Refused struct {
	Status int
	Header http.Header
	Text   string
}

func (e *Refused) Error() string { return e.Text }
