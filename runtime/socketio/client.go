package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// client is one connection with the sockets on it.
type client struct {
	server  *Server
	conn    *party.Conn
	request *http.Request
	decoder decoder
	sockets map[string]*Socket  // by namespace
	joining map[string]bool     // namespaces whose middleware runs
	left    map[string]struct{} // namespaces that the server took the client out of
	joined  bool                // has been in a namespace
	gone    bool
	dirty   bool         // its state is to be kept at the end of the turn
	timer   *party.Timer // of connectTimeout
}

func newClient(s *Server, conn *party.Conn, r *http.Request) *client {
	c := &client{server: s, conn: conn, request: r, sockets: make(map[string]*Socket, 1)}
	s.clients[conn] = c
	return c
}

// awaitConnect gives the client its time to join a namespace.
func (c *client) awaitConnect() {
	c.timer = c.server.room.After(c.server.opts.connectTimeout, func() {
		if !c.gone && len(c.sockets) == 0 {
			c.conn.Close(1000, "no namespace was joined in time")
		}
	})
}

// touch notes that the client's state has changed.
func (c *client) touch() {
	if !c.dirty {
		c.dirty = true
		c.server.dirty = append(c.server.dirty, c)
	}
}

// violated closes the connection of a client that breaks the protocol.
func (c *client) violated(err error) {
	c.closeAll("parse error")
	c.conn.Close(1003, err.Error())
}

func (c *client) receive(ctx context.Context, msg party.Message) error {
	if c.gone {
		return nil
	}
	var p *packet
	var err error
	if msg.IsText() {
		p, err = c.decoder.decodeText(msg.Text())
	} else {
		p, err = c.decoder.decodeBinary(msg.Bytes())
	}
	switch {
	case err != nil:
		c.violated(err)
		return nil
	case p == nil:
		return nil
	}
	s := c.sockets[p.nsp]
	switch {
	case s != nil:
		return c.handle(ctx, s, p)
	case p.typ == packetConnect && !c.joining[p.nsp]:
		return c.connect(ctx, p)
	case c.leftBefore(p.nsp) && p.typ != packetConnect:
		return nil // it was on its way when the server ended the socket
	default:
		c.violated(malformed("packet for a namespace that was not joined"))
		return nil
	}
}

func (c *client) leftBefore(nsp string) bool {
	_, ok := c.left[nsp]
	return ok
}

func (c *client) handle(ctx context.Context, s *Socket, p *packet) error {
	switch p.typ {
	case packetEvent, packetBinaryEvent:
		return s.dispatch(ctx, p)
	case packetAck, packetBinaryAck:
		if w := s.acks[p.id]; w != nil {
			w.got(s, Args{values: p.values()})
		}
	case packetDisconnect:
		c.end(ctx, s, "client namespace disconnect")
	default:
		c.violated(malformed("second connect to a namespace"))
	}
	return nil
}

// connect lets the client into a namespace, or not.
func (c *client) connect(ctx context.Context, p *packet) error {
	if c.joining == nil {
		c.joining = make(map[string]bool)
	}
	c.joining[p.nsp] = true
	auth := Value{raw: p.auth}
	if p.auth == nil {
		auth.raw = json.RawMessage("{}")
	}
	done := false
	defer func() {
		delete(c.joining, p.nsp)
		if !done { // user code panicked: what it sent is dropped, but the client must hear
			c.server.room.After(0, func() { c.refuse(p.nsp, errors.New("internal error")) })
		}
	}()
	n := c.server.find(ctx, p.nsp, auth)
	if n == nil {
		done = true
		c.refuse(p.nsp, errors.New("Invalid namespace"))
		return nil
	}
	s := c.newSocket(n, auth)
	err := error(nil)
	if r := c.server.opts.recovery; !s.recovered || r.RunMiddlewares {
		for _, use := range slices.Clone(n.uses) {
			if err = use(ctx, s); err != nil {
				break
			}
		}
	}
	done = true
	if c.gone || err != nil {
		s.clean()
		if !c.gone {
			c.refuse(p.nsp, err)
		}
		delete(c.joining, p.nsp)
		n.dropIfEmpty()
		return nil
	}
	delete(c.joining, p.nsp)
	s.admit()
	return s.announce(ctx)
}

// newSocket makes a socket, with what the client had before if that can be recovered.
func (c *client) newSocket(n *Namespace, auth Value) *Socket {
	s := &Socket{namespace: n, client: c, handshake: newHandshake(c.request, c.conn.URI(), auth, time.Now())}
	if c.server.opts.recovery != nil {
		if n.recover(s, auth) {
			return s
		}
		s.pid = newID()
	}
	s.id = newID()
	return s
}

// newID makes an id of 20 characters that nobody can guess.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (c *client) refuse(nsp string, err error) {
	if c.gone {
		return
	}
	b := append(appendHeader(nil, packetConnectError, 0, nsp, noID), connectErrorBody(err)...)
	c.conn.Send(party.Text(string(b)))
}

// admit makes the socket connected and tells the client.
func (s *Socket) admit() {
	c, n := s.client, s.namespace
	s.enter()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	for _, m := range s.missed {
		c.conn.Send(m.message())
	}
	s.missed = nil
	payload := append([]byte(`{"sid":`), appendQuoted(nil, s.id)...)
	if s.pid != "" {
		payload = appendQuoted(append(payload, `,"pid":`...), s.pid)
	}
	c.conn.Send(n.control(packetConnect, append(payload, '}')).message())
	c.touch()
}

// enter puts the socket among the connected ones.
func (s *Socket) enter() {
	c, n := s.client, s.namespace
	s.connected = true
	c.joined = true
	c.sockets[n.name] = s
	delete(c.left, n.name)
	n.sockets[s.id] = s
	n.all.add(s)
	n.stale(s)
}

// announce runs the connection handlers.
func (s *Socket) announce(ctx context.Context) error {
	for _, fn := range s.namespace.connect {
		if err := fn(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// leave ends a socket from the server's side, and tells the client.
func (c *client) leave(s *Socket, reason string) {
	c.conn.Send(s.namespace.control(packetDisconnect, nil).message())
	if c.left == nil {
		c.left = make(map[string]struct{})
	}
	c.left[s.namespace.name] = struct{}{}
	c.end(context.Background(), s, reason)
}

// closeAll ends every socket of the connection, which is about to be closed.
func (c *client) closeAll(reason string) {
	told := reason == "server namespace disconnect"
	for _, s := range c.ordered() {
		if told {
			c.leave(s, reason)
		} else {
			c.end(context.Background(), s, reason)
		}
	}
	c.gone = true
}

func (c *client) ordered() []*Socket {
	out := make([]*Socket, 0, len(c.sockets))
	for _, s := range c.sockets {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Socket) int {
		if a.namespace.name < b.namespace.name {
			return -1
		}
		return 1
	})
	return out
}

// end is the end of a socket.
func (c *client) end(ctx context.Context, s *Socket, reason string) {
	if !s.connected {
		return
	}
	for _, fn := range s.disconnecting {
		fn(ctx, reason)
	}
	if !s.connected {
		return // a handler has ended it
	}
	n := s.namespace
	n.persist(s, reason)
	s.clean()
	delete(c.sockets, n.name)
	c.touch()
	for id, w := range s.acks {
		delete(s.acks, id)
		w.gone()
	}
	for _, fn := range s.disconnect {
		fn(ctx, reason)
	}
	n.dropIfEmpty()
}

// clean takes the socket off all lists.
func (s *Socket) clean() {
	n := s.namespace
	for room := range s.rooms {
		n.leave(s, room)
	}
	s.rooms = nil
	n.outgoing -= len(s.anyOut)
	if s.connected {
		delete(n.sockets, s.id)
		n.all.remove(s)
	}
	s.connected, s.closed = false, true
}
