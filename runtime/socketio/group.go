package socketio

import (
	party "github.com/goparty-dev/party/runtime"
)

// group is a set of sockets, with the form that a broadcast to all of them
// needs, which is made once as long as the set stays the same.
type group struct {
	members map[*Socket]struct{}
	only    party.BroadcastOption // nil: to be made
}

func (g *group) add(s *Socket) {
	if g.members == nil {
		g.members = make(map[*Socket]struct{})
	}
	g.members[s] = struct{}{}
	g.only = nil
}

func (g *group) remove(s *Socket) {
	delete(g.members, s)
	g.only = nil
}

// receivers is the group's connected sockets as a broadcast takes them.
func (g *group) receivers() party.BroadcastOption {
	if g.only == nil {
		conns := make([]*party.Conn, 0, len(g.members))
		for s := range g.members {
			if s.connected {
				conns = append(conns, s.client.conn)
			}
		}
		g.only = party.Only(conns...)
	}
	return g.only
}

// join puts a socket into a room of the namespace.
func (n *Namespace) join(s *Socket, room string) {
	g := n.rooms[room]
	if g == nil {
		g = new(group)
		n.rooms[room] = g
	}
	g.add(s)
}

func (n *Namespace) leave(s *Socket, room string) {
	if g := n.rooms[room]; g != nil {
		g.remove(s)
		if len(g.members) == 0 {
			delete(n.rooms, room)
		}
	}
}

// stale says that a socket has been connected, so that what was made of its groups before is wrong.
func (n *Namespace) stale(s *Socket) {
	for room := range s.rooms {
		if g := n.rooms[room]; g != nil {
			g.only = nil
		}
	}
}

// inRoom calls fn for the connected sockets of a room. A socket's own id is a room too.
func (n *Namespace) inRoom(room string, fn func(*Socket)) {
	if s := n.sockets[room]; s != nil && !s.leftOwn {
		fn(s)
	}
	if g := n.rooms[room]; g != nil {
		for s := range g.members {
			if s.connected && s.id != room {
				fn(s)
			}
		}
	}
}

// targets are the sockets that a broadcast is for, each once.
func (b *Broadcaster) targets() []*Socket {
	n := b.namespace
	skip := make(map[*Socket]struct{})
	if b.sender != nil {
		skip[b.sender] = struct{}{}
	}
	for _, room := range b.except {
		n.inRoom(room, func(s *Socket) { skip[s] = struct{}{} })
	}
	var out []*Socket
	take := func(s *Socket) {
		if _, done := skip[s]; !done {
			skip[s] = struct{}{}
			out = append(out, s)
		}
	}
	if len(b.rooms) == 0 {
		for _, s := range n.sockets {
			take(s)
		}
	}
	for _, room := range b.rooms {
		n.inRoom(room, take)
	}
	return out
}

// receivers are the targets as options of a room's broadcast, in the cheapest way.
func (b *Broadcaster) receivers() []party.BroadcastOption {
	if len(b.except) == 0 && len(b.rooms) <= 1 {
		var g *group
		if len(b.rooms) == 0 {
			g = &b.namespace.all
		} else if b.namespace.sockets[b.rooms[0]] == nil {
			g = b.namespace.rooms[b.rooms[0]]
		}
		if g != nil {
			if b.sender == nil {
				return []party.BroadcastOption{g.receivers()}
			}
			return []party.BroadcastOption{g.receivers(), party.Except(b.sender.client.conn)}
		}
	}
	targets := b.targets()
	conns := make([]*party.Conn, len(targets))
	for n, s := range targets {
		conns[n] = s.client.conn
	}
	return []party.BroadcastOption{party.Only(conns...)}
}
