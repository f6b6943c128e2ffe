package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Socket is one client in one namespace.
type Socket struct {
	id, pid   string
	namespace *Namespace
	client    *client
	handshake *Handshake
	rooms     map[string]struct{} // without its own
	leftOwn   bool                // has left the room of its own id
	data      json.RawMessage
	connected bool
	closed    bool
	recovered bool
	resumed   bool
	missed    []outgoing // to be sent before the connect packet

	listeners
	acks map[int64]*ackWait
}

// ID is the socket's id, which is also the name of a room with just the socket in it. It is not
// the id of the connection.
func (s *Socket) ID() string { return s.id }

// Namespace is the namespace that the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Server is the io that the socket belongs to.
func (s *Socket) Server() *Server { return s.namespace.server }

// Conn is the connection, which sockets of other namespaces may share. Sending on it breaks the protocol.
func (s *Socket) Conn() *party.Conn { return s.client.conn }

// Handshake is how the socket came to be. It must not be modified.
func (s *Socket) Handshake() *Handshake { return s.handshake }

// Connected reports whether the socket is connected: false in middleware, and after the end.
func (s *Socket) Connected() bool { return s.connected }

// Recovered reports whether the client got back what it had before its connection
// broke, see [ConnectionStateRecovery].
func (s *Socket) Recovered() bool { return s.recovered }

// Resumed reports whether the socket was connected before this instance of the
// room: its client has noticed nothing.
func (s *Socket) Resumed() bool { return s.resumed }

// SetData keeps v, encoded as JSON, with the socket; see the package's comment for what it survives.
func (s *Socket) SetData(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode socket data: %w", err)
	}
	s.data = b
	s.client.touch()
	return nil
}

// Data decodes what SetData has kept into v, a pointer. Without data v is left as it is.
func (s *Socket) Data(v any) error {
	if s.data == nil {
		return nil
	}
	if err := json.Unmarshal(s.data, v); err != nil {
		return fmt.Errorf("decode socket data: %w", err)
	}
	return nil
}

// DataOf returns the socket's data as a T; the zero T when none was set.
func DataOf[T any](s *Socket) (T, error) {
	var v T
	err := s.Data(&v)
	return v, err
}

// Join puts the socket into rooms. After its end it does nothing.
func (s *Socket) Join(rooms ...string) {
	if s.closed {
		return
	}
	for _, room := range rooms {
		if room == s.id {
			s.leftOwn = false
			continue
		}
		if _, in := s.rooms[room]; in {
			continue
		}
		if s.rooms == nil {
			s.rooms = make(map[string]struct{})
		}
		s.rooms[room] = struct{}{}
		s.namespace.join(s, room)
	}
	s.client.touch()
}

// Leave takes the socket out of a room.
func (s *Socket) Leave(room string) {
	if room == s.id {
		s.leftOwn = true
		return
	}
	if _, in := s.rooms[room]; !in {
		return
	}
	delete(s.rooms, room)
	s.namespace.leave(s, room)
	s.client.touch()
}

// Rooms are the rooms that the socket is in, its own included; none after its end. The order is alphabetical.
func (s *Socket) Rooms() []string {
	if s.closed {
		return nil
	}
	out := make([]string, 0, len(s.rooms)+1)
	if s.connected && !s.leftOwn {
		out = append(out, s.id)
	}
	for room := range s.rooms {
		out = append(out, room)
	}
	slices.Sort(out)
	return out
}

// Broadcast chooses every other socket of the namespace.
func (s *Socket) Broadcast() Broadcaster { return Broadcaster{namespace: s.namespace, sender: s} }

// To chooses the other sockets in these rooms; In and Except likewise, see [Broadcaster].
func (s *Socket) To(rooms ...string) Broadcaster     { return s.Broadcast().To(rooms...) }
func (s *Socket) In(rooms ...string) Broadcaster     { return s.Broadcast().To(rooms...) }
func (s *Socket) Except(rooms ...string) Broadcaster { return s.Broadcast().Except(rooms...) }

// Local is Broadcast: a room is one server.
func (s *Socket) Local() Broadcaster { return s.Broadcast() }

// Emitter sends to one socket with modifiers. It is a value.
type Emitter struct {
	socket   *Socket
	volatile bool
	timeout  time.Duration
	timed    bool
}

// Volatile drops the event if the client cannot take it at once.
func (s *Socket) Volatile() Emitter { return Emitter{socket: s, volatile: true} }

// Compress has no effect, see the package's comment.
func (s *Socket) Compress(bool) Emitter { return Emitter{socket: s} }

// Timeout limits the wait for the ack.
func (s *Socket) Timeout(d time.Duration) Emitter { return Emitter{socket: s, timeout: d, timed: true} }

// Volatile, Compress and Timeout are as those of [Socket].
func (e Emitter) Volatile() Emitter               { e.volatile = true; return e }
func (e Emitter) Compress(bool) Emitter           { return e }
func (e Emitter) Timeout(d time.Duration) Emitter { e.timeout, e.timed = d, true; return e }

// Emit sends an event to the client. Arguments are encoded as by encoding/json, but every []byte in them travels
// as binary. With an [AckFunc] as the last argument, that is called with the client's answer.
func (s *Socket) Emit(event string, args ...any) error {
	return Emitter{socket: s}.Emit(event, args...)
}

// Send is Emit of "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// EmitWithAck sends an event to the client and waits for its answer, see [Emitter.EmitWithAck].
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	return Emitter{socket: s}.EmitWithAck(ctx, event, args...)
}

// Emit is as that of [Socket].
func (e Emitter) Emit(event string, args ...any) error {
	args, one, all := splitAck(args)
	if all != nil {
		return fmt.Errorf("emit %q: an ack of one socket is an AckFunc", event)
	}
	_, err := e.emit(event, args, one)
	return err
}

func (e Emitter) emit(event string, args []any, ack AckFunc) (*ackWait, error) {
	s := e.socket
	n := s.namespace
	switch {
	case slices.Contains(reserved, event):
		return nil, reservedName(event)
	case !s.connected:
		return nil, ErrDisconnected
	}
	id, offset := int64(noID), ""
	if ack != nil {
		id = n.nextID()
	} else if n.server.opts.recovery != nil && !e.volatile {
		offset = n.server.packetID()
		args = append(slices.Clone(args), offset)
	}
	m, err := n.encode(packetEvent, id, event, args)
	if err != nil {
		return nil, fmt.Errorf("emit %q: %w", event, err)
	}
	if offset != "" {
		n.remember(&Broadcaster{rooms: []string{s.id}}, offset, m)
	}
	var w *ackWait
	if ack != nil {
		w = &ackWait{server: n.server, sockets: []*Socket{s}, id: id, missing: 1, one: ack}
		w.begin(e.timeout, e.timed)
	}
	s.notifyOutgoing(event, args)
	if e.volatile {
		return w, s.client.conn.Send(m.message(), party.Lossy())
	}
	return w, s.client.conn.Send(m.message())
}

// EmitWithAck sends an event to the client and waits for its answer. It is an
// await: other turns run meanwhile. The error is ErrTimeout after Timeout, ErrDisconnected when the
// socket leaves, party.ErrReleased when the room is handed over, or that of ctx.
func (e Emitter) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	type result struct {
		answer Args
		err    error
	}
	got := make(chan result, 1)
	w, err := e.emit(event, args, func(answer Args, err error) { got <- result{answer, err} })
	if err != nil {
		return Args{}, err
	}
	var r result
	err = e.socket.namespace.server.room.Await(ctx, func(ctx context.Context) error {
		select {
		case r = <-got:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	w.cancel()
	return r.answer, cmp.Or(err, r.err)
}

func (s *Socket) sendAck(id int64, values []any) error {
	if !s.connected {
		return ErrDisconnected
	}
	m, err := s.namespace.encode(packetAck, id, "", values)
	if err != nil {
		return fmt.Errorf("ack: %w", err)
	}
	return s.client.conn.Send(m.message())
}

// DisconnectOption changes a disconnect.
type DisconnectOption func(*bool)

// AndClose closes the connection too, with the client's sockets in other namespaces.
func AndClose() DisconnectOption { return func(closes *bool) { *closes = true } }

// Disconnect takes the client out of the namespace.
func (s *Socket) Disconnect(opts ...DisconnectOption) {
	if !s.connected {
		return
	}
	closes := false
	for _, o := range opts {
		o(&closes)
	}
	if closes {
		s.client.closeAll("server namespace disconnect")
		s.client.conn.Close(1000, "")
		return
	}
	s.client.leave(s, "server namespace disconnect")
}
