package socketio

import (
	"context"
	"slices"
)

// Handler is called for an event. An error goes to the socket's OnError handlers, without one to the room's OnError.
type Handler func(ctx context.Context, args Args) error

// AnyHandler is called for every event that comes in.
type AnyHandler func(ctx context.Context, event string, args Args) error

// OutgoingHandler is told of every event that is sent to the socket.
type OutgoingHandler func(event string, args []any)

// Incoming is an event on its way to its handlers. Socket middleware may change it.
type Incoming struct {
	Event string
	Args  []Value
}

// listeners are what is registered for a socket. Pointers are compared, so that a handler can be taken off again.
type listeners struct {
	handlers      map[string][]*Handler
	anyIn         []*AnyHandler
	anyOut        []*OutgoingHandler
	uses          []func(ctx context.Context, in *Incoming) error
	disconnecting []func(ctx context.Context, reason string)
	disconnect    []func(ctx context.Context, reason string)
	errors        []func(ctx context.Context, err error)
}

// On registers a handler for an event. off takes it away again.
func (s *Socket) On(event string, fn Handler) (off func()) {
	if s.handlers == nil {
		s.handlers = make(map[string][]*Handler)
	}
	h := &fn
	s.handlers[event] = append(s.handlers[event], h)
	return func() {
		s.handlers[event] = slices.DeleteFunc(slices.Clone(s.handlers[event]), func(o *Handler) bool { return o == h })
	}
}

// Once registers a handler for the next event of that name.
func (s *Socket) Once(event string, fn Handler) (off func()) {
	off = s.On(event, func(ctx context.Context, args Args) error {
		off()
		return fn(ctx, args)
	})
	return off
}

// Off takes all handlers of an event away.
func (s *Socket) Off(event string) { delete(s.handlers, event) }

// OnAny registers a handler for every event, behind those that are there, before the event's own.
func (s *Socket) OnAny(fn AnyHandler) (off func()) {
	s.anyIn = append(slices.Clone(s.anyIn), &fn)
	return s.offAny(&fn)
}

// PrependAny registers a handler for every event, before those that are there.
func (s *Socket) PrependAny(fn AnyHandler) (off func()) {
	s.anyIn = append([]*AnyHandler{&fn}, s.anyIn...)
	return s.offAny(&fn)
}

func (s *Socket) offAny(h *AnyHandler) func() {
	return func() {
		s.anyIn = slices.DeleteFunc(slices.Clone(s.anyIn), func(o *AnyHandler) bool { return o == h })
	}
}

// OffAny takes all handlers of OnAny and PrependAny away.
func (s *Socket) OffAny() { s.anyIn = nil }

// OnAnyOutgoing registers a handler for every event that is sent to the socket, broadcasts included.
func (s *Socket) OnAnyOutgoing(fn OutgoingHandler) (off func()) {
	s.anyOut = append(slices.Clone(s.anyOut), &fn)
	return s.countOutgoing(&fn)
}

// PrependAnyOutgoing is OnAnyOutgoing, before the handlers that are there.
func (s *Socket) PrependAnyOutgoing(fn OutgoingHandler) (off func()) {
	s.anyOut = append([]*OutgoingHandler{&fn}, s.anyOut...)
	return s.countOutgoing(&fn)
}

func (s *Socket) countOutgoing(h *OutgoingHandler) (off func()) {
	if !s.closed {
		s.namespace.outgoing++
	}
	return func() {
		before := len(s.anyOut)
		s.anyOut = slices.DeleteFunc(slices.Clone(s.anyOut), func(o *OutgoingHandler) bool { return o == h })
		if !s.closed {
			s.namespace.outgoing -= before - len(s.anyOut)
		}
	}
}

// OffAnyOutgoing takes all handlers of OnAnyOutgoing and PrependAnyOutgoing away.
func (s *Socket) OffAnyOutgoing() {
	if !s.closed {
		s.namespace.outgoing -= len(s.anyOut)
	}
	s.anyOut = nil
}

// Use registers middleware for the socket's events, which may change them. An error keeps the event
// from its handlers and goes to OnError.
func (s *Socket) Use(fn func(ctx context.Context, in *Incoming) error) { s.uses = append(s.uses, fn) }

// OnDisconnecting registers a handler for the end of the socket, called while it is still in its rooms.
func (s *Socket) OnDisconnecting(fn func(ctx context.Context, reason string)) {
	s.disconnecting = append(s.disconnecting, fn)
}

// OnDisconnect registers a handler for the end of the socket. The reason is one of "client namespace disconnect",
// "server namespace disconnect", "transport close", "transport error", "ping timeout", "parse error",
// "forced close", "forced server close" and "server shutting down".
func (s *Socket) OnDisconnect(fn func(ctx context.Context, reason string)) {
	s.disconnect = append(s.disconnect, fn)
}

// OnError registers a handler for what the socket's middleware and handlers fail with.
func (s *Socket) OnError(fn func(ctx context.Context, err error)) { s.errors = append(s.errors, fn) }

func (s *Socket) notifyOutgoing(event string, args []any) {
	for _, fn := range s.anyOut {
		(*fn)(event, args)
	}
}

// dispatch runs the handlers of an event.
func (s *Socket) dispatch(ctx context.Context, p *packet) error {
	in := Incoming{Event: p.name, Args: p.values()}
	for _, use := range s.uses {
		if err := use(ctx, &in); err != nil {
			return s.failed(ctx, err)
		}
	}
	args := Args{values: in.Args}
	if p.id != noID {
		args.ack = &answer{socket: s, id: p.id}
	}
	for _, fn := range s.anyIn {
		if err := (*fn)(ctx, in.Event, args); err != nil {
			return s.failed(ctx, err)
		}
	}
	for _, fn := range s.handlers[in.Event] {
		if err := (*fn)(ctx, args); err != nil {
			return s.failed(ctx, err)
		}
	}
	return nil
}

func (s *Socket) failed(ctx context.Context, err error) error {
	if len(s.errors) == 0 {
		return err
	}
	for _, fn := range s.errors {
		fn(ctx, err)
	}
	return nil
}
