package socketio

import (
	"context"
	"slices"
)

// Middleware looks at a socket before it is connected to its namespace. An error refuses it: the client's
// connect_error gets its text, or what a *ConnectError says. It may use Await.
type Middleware func(ctx context.Context, socket *Socket) error

// ConnectionHandler is called for each socket that has connected, and again, with
// Socket.Resumed, when a fresh instance of the room takes the socket up. It is the place to
// register the socket's handlers. An error is reported to the room's OnError; the socket stays.
type ConnectionHandler func(ctx context.Context, socket *Socket) error

// Namespace is a channel of its own over the clients' connections.
type Namespace struct {
	server   *Server
	parent   *ParentNamespace
	name     string
	sockets  map[string]*Socket // connected ones
	all      group              // the same
	rooms    map[string]*group
	uses     []Middleware
	connect  []ConnectionHandler
	ids      int64 // next ack id
	outgoing int   // listeners of OnAnyOutgoing in all sockets
	history  history
}

// Name is the namespace's name, "/" or "/…".
func (n *Namespace) Name() string { return n.name }

// OnConnection registers a handler for sockets that connect.
func (n *Namespace) OnConnection(fn ConnectionHandler) { n.connect = append(n.connect, fn) }

// Use registers middleware. It runs in order of registration, for this namespace only.
func (n *Namespace) Use(fn Middleware) { n.uses = append(n.uses, fn) }

// Socket returns the connected socket with this id.
func (n *Namespace) Socket(id string) (*Socket, bool) {
	s, ok := n.sockets[id]
	return s, ok
}

// SocketsCount is how many sockets are connected.
func (n *Namespace) SocketsCount() int { return len(n.sockets) }

func (n *Namespace) broadcaster() Broadcaster { return Broadcaster{namespace: n} }

// To, In and Except choose who gets a broadcast, see [Broadcaster].
func (n *Namespace) To(rooms ...string) Broadcaster     { return n.broadcaster().To(rooms...) }
func (n *Namespace) In(rooms ...string) Broadcaster     { return n.broadcaster().To(rooms...) }
func (n *Namespace) Except(rooms ...string) Broadcaster { return n.broadcaster().Except(rooms...) }

// Emit sends an event to every socket of the namespace, see [Broadcaster.Emit].
func (n *Namespace) Emit(event string, args ...any) error {
	return n.broadcaster().Emit(event, args...)
}

// Send is Emit of "message".
func (n *Namespace) Send(args ...any) error { return n.Emit("message", args...) }

// EmitWithAck sends an event to every socket of the namespace and waits for
// their answers, see [Broadcaster.EmitWithAck].
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	return n.broadcaster().EmitWithAck(ctx, event, args...)
}

// ServerSideEmit is for the other servers of a cluster. A room is the only server of its io, so there is
// nobody to receive it; an [AckFunc] or [BroadcastAckFunc] as the last argument is called at once, with no answers.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	if slices.Contains(reserved, event) {
		return reservedName(event)
	}
	_, one, all := splitAck(args)
	if one != nil {
		one(Args{}, nil)
	}
	if all != nil {
		all(nil, nil)
	}
	return nil
}

// FetchSockets returns the sockets of the namespace.
func (n *Namespace) FetchSockets() []*Socket { return n.broadcaster().FetchSockets() }

// SocketsJoin lets every socket of the namespace join rooms.
func (n *Namespace) SocketsJoin(rooms ...string) { n.broadcaster().SocketsJoin(rooms...) }

// SocketsLeave lets every socket of the namespace leave rooms.
func (n *Namespace) SocketsLeave(rooms ...string) { n.broadcaster().SocketsLeave(rooms...) }

// DisconnectSockets disconnects every socket of the namespace.
func (n *Namespace) DisconnectSockets(opts ...DisconnectOption) {
	n.broadcaster().DisconnectSockets(opts...)
}

// nextID numbers an ack.
func (n *Namespace) nextID() int64 {
	id := n.ids
	n.ids++
	return id
}

// dropIfEmpty forgets a child of a dynamic namespace that nobody uses.
func (n *Namespace) dropIfEmpty() {
	if n.parent == nil || !n.server.opts.cleanup || len(n.sockets) > 0 || n.history.recoverable() {
		return
	}
	for _, c := range n.server.clients {
		if c.joining[n.name] {
			return
		}
	}
	delete(n.server.namespaces, n.name)
	delete(n.parent.children, n.name)
}

// ParentNamespace stands for the namespaces that are made when clients ask for them.
type ParentNamespace struct {
	server   *Server
	allow    func(ctx context.Context, name string, auth Value) bool
	children map[string]*Namespace
	uses     []Middleware
	connect  []ConnectionHandler
}

// OnConnection registers a handler for the sockets of every child that is made from now on.
func (p *ParentNamespace) OnConnection(fn ConnectionHandler) { p.connect = append(p.connect, fn) }

// Use registers middleware for every child that is made from now on.
func (p *ParentNamespace) Use(fn Middleware) { p.uses = append(p.uses, fn) }

// Emit sends an event to every socket of every child. An ack cannot be asked for.
func (p *ParentNamespace) Emit(event string, args ...any) error {
	for _, n := range p.Children() {
		if err := n.Emit(event, args...); err != nil {
			return err
		}
	}
	return nil
}

// Children returns the namespaces made so far, by name.
func (p *ParentNamespace) Children() []*Namespace {
	out := make([]*Namespace, 0, len(p.children))
	for _, n := range p.children {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *Namespace) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return out
}

func (p *ParentNamespace) child(name string) *Namespace {
	n := p.server.newNamespace(name)
	n.parent = p
	n.uses, n.connect = slices.Clone(p.uses), slices.Clone(p.connect)
	p.children[name] = n
	for _, f := range p.server.newNsp {
		f(n)
	}
	return n
}
