package socketio

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// state is what is kept with a connection.
type state struct {
	Sockets map[string]socketState `json:"n,omitempty"` // by namespace
	Lost    bool                   `json:"lost,omitempty"`
}

type socketState struct {
	ID      string          `json:"s"`
	PID     string          `json:"p,omitempty"`
	Rooms   []string        `json:"r,omitempty"`
	LeftOwn bool            `json:"o,omitempty"`
	Data    json.RawMessage `json:"d,omitempty"`
	Auth    json.RawMessage `json:"a,omitempty"`
	At      int64           `json:"t"` // ms
}

// kept is what one instance leaves for the next.
type kept struct {
	Histories map[string]keptHistory `json:"h,omitempty"` // by namespace
	Partial   map[string]keptPartial `json:"p,omitempty"` // by connection
	NextID    int64                  `json:"i"`
}

type keptHistory struct {
	Events   []past             `json:"e,omitempty"`
	Sessions map[string]session `json:"s,omitempty"`
}

// keptPartial is a packet whose attachments have not all come.
type keptPartial struct {
	Text  string   `json:"t"`
	Parts [][]byte `json:"b,omitempty"`
}

// keepFor is how long the next instance may take to come, when nothing else says.
const keepFor = 60

// EngineStart implements party.EngineHandler.
func (s *Server) EngineStart(_ context.Context, data string) error {
	var k kept
	if data != "" {
		if err := json.Unmarshal([]byte(data), &k); err != nil {
			s.room.Logger().Warn("what the last instance left cannot be read", "err", err)
		}
	}
	// Acks of another instance's events must not be taken for those of ours. After a crash nothing was left, and
	// the time is later than any number given out.
	s.firstID = k.NextID
	s.Namespace.ids = s.firstID
	s.setup(s)
	for name, h := range k.Histories {
		n := s.namespaces[name]
		if n == nil || s.opts.recovery == nil {
			continue
		}
		n.history = history{events: h.Events, sessions: h.Sessions}
		for i := range h.Events {
			n.history.bytes += h.Events[i].size()
		}
		if n.history.recoverable() {
			s.pruneLater()
		}
	}
	s.partial = k.Partial
	return nil
}

// EngineOpen implements party.EngineHandler.
func (s *Server) EngineOpen(ctx context.Context, conn *party.Conn, r *http.Request) (party.EngineAnswer, error) {
	if conn.Resumed() {
		return party.EngineAnswer{}, s.resume(ctx, conn, r)
	}
	var answer party.EngineAnswer
	if allow := s.opts.allowRequest; allow != nil {
		if err := s.room.Await(ctx, func(ctx context.Context) error { return allow(ctx, r) }); err != nil {
			return answer, err
		}
	}
	if edit := s.opts.editHandshake; edit != nil {
		answer.Handshake = make(http.Header)
		edit(answer.Handshake, r)
	}
	if edit := s.opts.editResponse; edit != nil {
		answer.Every = make(http.Header)
		edit(answer.Every, r)
	}
	newClient(s, conn, r).awaitConnect()
	return answer, nil
}

// resume takes up a connection that was open before this instance.
func (s *Server) resume(ctx context.Context, conn *party.Conn, r *http.Request) error {
	st, err := party.StateOf[state](conn)
	if err != nil {
		return err
	}
	c := newClient(s, conn, r)
	if st.Lost {
		conn.Close(1011, "too much state to take the connection up again")
		c.gone = true
		return nil
	}
	if p, ok := s.partial[conn.ID()]; ok {
		if c.decoder.partial, err = parsePacket(p.Text); err == nil {
			c.decoder.text = p.Text
			c.decoder.partial.attachments = p.Parts
			c.decoder.partial.missing -= len(p.Parts)
		}
	}
	s.unknownIDs(len(st.Sockets) > 0)
	for _, name := range slices.Sorted(maps.Keys(st.Sockets)) {
		if err := s.resumeSocket(ctx, c, name, st.Sockets[name]); err != nil {
			return err
		}
	}
	if len(c.sockets) == 0 {
		c.awaitConnect()
	}
	return nil
}

// unknownIDs begins ack ids behind all that an instance which left no word can have given out.
func (s *Server) unknownIDs(resumed bool) {
	if !resumed || s.firstID > 0 {
		return
	}
	s.firstID = time.Now().UnixMilli()
	for _, n := range s.namespaces {
		n.ids = max(n.ids, s.firstID)
	}
}

func (s *Server) resumeSocket(ctx context.Context, c *client, name string, st socketState) error {
	auth := Value{raw: st.Auth}
	n := s.find(ctx, name, auth)
	if n == nil { // the new code has no such namespace
		c.conn.Send(party.Text(string(appendHeader(nil, packetDisconnect, 0, name, noID))))
		c.touch()
		return nil
	}
	sock := &Socket{
		id: st.ID, pid: st.PID, namespace: n, client: c, data: st.Data, resumed: true, leftOwn: st.LeftOwn,
		handshake: newHandshake(c.request, c.conn.URI(), auth, time.UnixMilli(st.At)),
	}
	sock.Join(st.Rooms...)
	sock.enter()
	return sock.announce(ctx)
}

// EngineMessage implements party.EngineHandler.
func (s *Server) EngineMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if c := s.clients[conn]; c != nil {
		return c.receive(ctx, msg)
	}
	return nil
}

// EngineClose implements party.EngineHandler.
func (s *Server) EngineClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	c := s.clients[conn]
	if c == nil {
		if c = s.takeUpClosed(ctx, conn); c == nil {
			return
		}
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, sock := range c.ordered() {
		c.end(ctx, sock, ev.Reason)
	}
	c.gone = true
	delete(s.clients, conn)
}

// takeUpClosed takes up a connection whose end happened while the room had no instance, so that its sockets
// end like all others.
func (s *Server) takeUpClosed(ctx context.Context, conn *party.Conn) *client {
	st, err := party.StateOf[state](conn)
	if err != nil || len(st.Sockets) == 0 {
		return nil
	}
	c := newClient(s, conn, nil)
	for _, name := range slices.Sorted(maps.Keys(st.Sockets)) {
		if err := s.resumeSocket(ctx, c, name, st.Sockets[name]); err != nil {
			s.room.Logger().Warn("connection handler failed for a client that has gone", "err", err)
		}
	}
	return c
}

// EngineFlush implements party.EngineHandler: it keeps the state of clients that have changed.
func (s *Server) EngineFlush() {
	for _, c := range s.dirty {
		c.dirty = false
		if c.gone {
			continue
		}
		if err := c.conn.SetState(c.state()); err != nil {
			s.room.Logger().Warn("a client's sockets, rooms and data do not fit; it will be disconnected when the room is handed over", "conn", c.conn.ID(), "err", err)
			c.conn.SetState(state{Lost: true})
		}
	}
	clear(s.dirty)
	s.dirty = s.dirty[:0]
}

func (c *client) state() state {
	st := state{Sockets: make(map[string]socketState, len(c.sockets))}
	for name, s := range c.sockets {
		e := socketState{ID: s.id, PID: s.pid, LeftOwn: s.leftOwn, Data: s.data, Auth: s.handshake.Auth.raw, At: s.handshake.Time.UnixMilli()}
		for room := range s.rooms {
			e.Rooms = append(e.Rooms, room)
		}
		slices.Sort(e.Rooms)
		st.Sockets[name] = e
	}
	return st
}

// EngineLeave implements party.EngineHandler: what waits for acks ends, and what the connections do not keep is left for
// the next instance.
func (s *Server) EngineLeave() (string, int) {
	k := kept{Histories: make(map[string]keptHistory), Partial: make(map[string]keptPartial)}
	for _, n := range s.namespaces {
		k.NextID = max(k.NextID, n.ids)
		if len(n.history.events) > 0 || n.history.recoverable() {
			k.Histories[n.name] = keptHistory{n.history.events, n.history.sessions}
		}
	}
	for conn, c := range s.clients {
		if p := c.decoder.partial; p != nil {
			k.Partial[conn.ID()] = keptPartial{c.decoder.text, p.attachments}
		}
	}
	for w := range s.waits {
		w.end(party.ErrReleased)
	}
	seconds := keepFor
	if r := s.opts.recovery; r != nil {
		seconds = max(seconds, int(r.MaxDisconnectionDuration/time.Second)+1)
	}
	if len(k.Histories) == 0 && len(k.Partial) == 0 && k.NextID == 0 {
		return "", 0
	}
	b, err := marshal(k)
	if err != nil {
		s.room.Logger().Warn("what the next instance needs cannot be encoded", "err", err)
		return "", 0
	}
	return string(b), seconds
}
