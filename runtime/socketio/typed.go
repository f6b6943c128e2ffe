package socketio

import (
	"context"
	"fmt"
)

// Target is whatever an event can be sent to: a socket, a namespace, a server, or a choice of sockets.
type Target interface {
	Emit(event string, args ...any) error
}

// Asked is a socket that an event can be sent to for an answer, perhaps with a timeout.
type Asked interface {
	EmitWithAck(ctx context.Context, event string, args ...any) (Args, error)
}

// Event is an event with one argument of a known type, so that the compiler
// checks both ends. Declare it once:
//
//	var Said = socketio.NewEvent[Line]("said")
type Event[T any] struct{ name string }

// NewEvent names an event.
func NewEvent[T any](name string) Event[T] { return Event[T]{name} }

// Name is the event's name.
func (e Event[T]) Name() string { return e.name }

// Emit sends the event.
func (e Event[T]) Emit(to Target, v T) error { return to.Emit(e.name, v) }

// On registers a handler. An argument that does not decode into a T is an error, and the handler is not called.
func (e Event[T]) On(s *Socket, fn func(ctx context.Context, v T) error) (off func()) {
	return s.On(e.name, func(ctx context.Context, args Args) error {
		v, err := decodeOne[T](e.name, args)
		if err != nil {
			return err
		}
		return fn(ctx, v)
	})
}

// Call is an event with one argument that is answered with one value.
type Call[T, R any] struct{ name string }

// NewCall names an event that is answered.
func NewCall[T, R any](name string) Call[T, R] { return Call[T, R]{name} }

// Name is the event's name.
func (c Call[T, R]) Name() string { return c.name }

// On registers the handler that answers. An error is handled like that of any handler, and no answer is sent.
func (c Call[T, R]) On(s *Socket, fn func(ctx context.Context, v T) (R, error)) (off func()) {
	return s.On(c.name, func(ctx context.Context, args Args) error {
		v, err := decodeOne[T](c.name, args)
		if err != nil {
			return err
		}
		r, err := fn(ctx, v)
		if err != nil {
			return err
		}
		return args.Ack(r)
	})
}

// Do sends the event and waits for the answer, see [Emitter.EmitWithAck].
func (c Call[T, R]) Do(ctx context.Context, to Asked, v T) (R, error) {
	answer, err := to.EmitWithAck(ctx, c.name, v)
	if err != nil {
		var none R
		return none, err
	}
	return decodeOne[R](c.name, answer)
}

func decodeOne[T any](name string, args Args) (v T, err error) {
	if err := args.At(0).Decode(&v); err != nil {
		return v, fmt.Errorf("event %q: %w", name, err)
	}
	return v, nil
}
