package socketio

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Broadcaster chooses sockets of a namespace: all, those in some rooms, without those in others. It is a
// value; each method returns another one and changes none.
type Broadcaster struct {
	namespace *Namespace
	sender    *Socket // left out
	rooms     []string
	except    []string
	volatile  bool
	timeout   time.Duration
	timed     bool
}

// To adds rooms: a socket in any of them is chosen, once. A socket's id is a room with just the socket in it.
func (b Broadcaster) To(rooms ...string) Broadcaster {
	b.rooms = append(slices.Clone(b.rooms), rooms...)
	return b
}

// In is To.
func (b Broadcaster) In(rooms ...string) Broadcaster { return b.To(rooms...) }

// Except leaves out the sockets in these rooms.
func (b Broadcaster) Except(rooms ...string) Broadcaster {
	b.except = append(slices.Clone(b.except), rooms...)
	return b
}

// Local means the sockets of this server, which all are.
func (b Broadcaster) Local() Broadcaster { return b }

// Volatile drops the event for clients that cannot take it at once.
func (b Broadcaster) Volatile() Broadcaster { b.volatile = true; return b }

// Compress has no effect, see the package's comment.
func (b Broadcaster) Compress(bool) Broadcaster { return b }

// Timeout limits the wait for answers.
func (b Broadcaster) Timeout(d time.Duration) Broadcaster { b.timeout, b.timed = d, true; return b }

// Emit sends an event to the sockets. Arguments are encoded as by encoding/json, but every []byte in
// them travels as binary. With a [BroadcastAckFunc] as the last argument, that is
// called with the answers of all sockets.
func (b Broadcaster) Emit(event string, args ...any) error {
	args, one, all := splitAck(args)
	if one != nil {
		return fmt.Errorf("emit %q: an ack of a broadcast is a BroadcastAckFunc", event)
	}
	if all != nil {
		_, err := b.emitAck(event, args, all)
		return err
	}
	n := b.namespace
	if slices.Contains(reserved, event) {
		return reservedName(event)
	}
	var offset string
	if n.server.opts.recovery != nil && !b.volatile {
		offset = n.server.packetID()
		args = append(slices.Clone(args), offset)
	}
	m, err := n.encode(packetEvent, noID, event, args)
	if err != nil {
		return fmt.Errorf("emit %q: %w", event, err)
	}
	if offset != "" {
		n.remember(&b, offset, m)
	}
	return b.send(m, event, args)
}

func reservedName(event string) error { return fmt.Errorf("%w: %q", ErrReserved, event) }

func (b *Broadcaster) send(m outgoing, event string, args []any) error {
	if b.namespace.outgoing > 0 {
		for _, s := range b.targets() {
			s.notifyOutgoing(event, args)
		}
	}
	opts := b.receivers()
	if b.volatile {
		opts = append(opts, party.Lossy())
	}
	return b.namespace.server.room.Broadcast(m.message(), opts...)
}

// emitAck sends an event that asks for acks, and calls all with the answers. It returns what to
// call when nobody waits for them any more.
func (b *Broadcaster) emitAck(event string, args []any, all BroadcastAckFunc) (cancel func(), err error) {
	n := b.namespace
	if slices.Contains(reserved, event) {
		return nil, reservedName(event)
	}
	targets := b.targets()
	if len(targets) == 0 {
		all(nil, nil)
		return func() {}, nil
	}
	id := n.nextID()
	m, err := n.encode(packetEvent, id, event, args)
	if err != nil {
		return nil, fmt.Errorf("emit %q: %w", event, err)
	}
	w := &ackWait{server: n.server, sockets: targets, id: id, missing: len(targets), all: all}
	w.begin(b.timeout, b.timed)
	return w.cancel, b.send(m, event, args)
}

// EmitWithAck sends an event and waits for the answers of all sockets, in the order in which they come. It is
// an await: other turns run meanwhile. If Timeout passes, the error is
// ErrTimeout, and the answers are those that came.
func (b Broadcaster) EmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	type result struct {
		answers []Args
		err     error
	}
	got := make(chan result, 1)
	cancel, err := b.emitAck(event, args, func(answers []Args, err error) { got <- result{answers, err} })
	if err != nil {
		return nil, err
	}
	var r result
	err = b.namespace.server.room.Await(ctx, func(ctx context.Context) error {
		select {
		case r = <-got:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	cancel()
	return r.answers, cmp.Or(err, r.err)
}

// FetchSockets returns the sockets, by id.
func (b Broadcaster) FetchSockets() []*Socket {
	out := b.targets()
	slices.SortFunc(out, func(a, b *Socket) int { return cmp.Compare(a.id, b.id) })
	return out
}

// SocketsJoin lets the sockets join rooms.
func (b Broadcaster) SocketsJoin(rooms ...string) {
	for _, s := range b.targets() {
		s.Join(rooms...)
	}
}

// SocketsLeave lets the sockets leave rooms.
func (b Broadcaster) SocketsLeave(rooms ...string) {
	for _, s := range b.targets() {
		for _, room := range rooms {
			s.Leave(room)
		}
	}
}

// DisconnectSockets disconnects the sockets.
func (b Broadcaster) DisconnectSockets(opts ...DisconnectOption) {
	for _, s := range b.FetchSockets() {
		s.Disconnect(opts...)
	}
}
