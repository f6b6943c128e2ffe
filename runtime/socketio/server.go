package socketio

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Server is one io: the Socket.IO server of one room. What Node's server
// does with its main namespace is done with [Server.Main], and by the methods
// that the server has from it.
//
// Use it in turns of its room only: in handlers, in functions given to the room's Do,
// After and Every, and not in the function given to Await.
type Server struct {
	*Namespace // the main one

	room       *party.Room
	setup      func(*Server)
	opts       *options
	namespaces map[string]*Namespace
	parents    []*ParentNamespace
	clients    map[*party.Conn]*client
	dirty      []*client
	newNsp     []func(*Namespace)
	scratch    []byte
	stamp      int64                  // of the last packet id
	firstID    int64                  // where ack ids begin
	partial    map[string]keptPartial // what the last instance left of packets, by connection
	waits      map[*ackWait]struct{}
	prune      *party.Timer
}

var _ party.EngineHandler = (*Server)(nil)

func newServer(room *party.Room, setup func(*Server), opts *options) *Server {
	s := &Server{
		room: room, setup: setup, opts: opts,
		namespaces: make(map[string]*Namespace), clients: make(map[*party.Conn]*client), waits: make(map[*ackWait]struct{}),
	}
	s.Namespace = s.Of("/")
	return s
}

// Room is the room that the server runs in, for its storage, timers, Await and logger.
func (s *Server) Room() *party.Room { return s.room }

// Main is the namespace "/".
func (s *Server) Main() *Namespace { return s.Namespace }

// Of returns the namespace of that name, and makes it known if it is new. The leading slash may be left out.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if n := s.namespaces[name]; n != nil {
		return n
	}
	n := s.newNamespace(name)
	for _, f := range s.newNsp {
		f(n)
	}
	return n
}

func (s *Server) newNamespace(name string) *Namespace {
	n := &Namespace{server: s, name: name, ids: s.firstID, sockets: make(map[string]*Socket), rooms: make(map[string]*group)}
	s.namespaces[name] = n
	return n
}

// OfPattern lets clients connect to every namespace whose name the pattern matches. Each is made when the first client asks for it.
func (s *Server) OfPattern(re *regexp.Regexp) *ParentNamespace {
	return s.OfFunc(func(_ context.Context, name string, _ Value) bool { return re.MatchString(name) })
}

// OfFunc lets clients connect to the namespaces for which allow says so, given the
// name and what the client sent as auth. It may use Await.
func (s *Server) OfFunc(allow func(ctx context.Context, name string, auth Value) bool) *ParentNamespace {
	p := &ParentNamespace{server: s, allow: allow, children: make(map[string]*Namespace)}
	s.parents = append(s.parents, p)
	return p
}

// OnNewNamespace calls fn for each namespace that is made from now on.
func (s *Server) OnNewNamespace(fn func(*Namespace)) { s.newNsp = append(s.newNsp, fn) }

// find returns the namespace that a client may connect to, nil if there is none.
func (s *Server) find(ctx context.Context, name string, auth Value) *Namespace {
	if n := s.namespaces[name]; n != nil {
		return n
	}
	for _, p := range s.parents {
		if !p.allow(ctx, name, auth) {
			continue
		}
		if n := s.namespaces[name]; n != nil {
			return n // made while allow was in an await
		}
		return p.child(name)
	}
	return nil
}

// ClientsCount is how many connections there are, whatever they have joined.
func (s *Server) ClientsCount() int { return len(s.clients) }

// Close disconnects every client, as when the server of Node is closed.
func (s *Server) Close() {
	for _, c := range s.orderedClients() {
		c.closeAll("server shutting down")
		c.conn.Close(1000, "")
	}
}

func (s *Server) orderedClients() []*client {
	out := make([]*client, 0, len(s.clients))
	for _, c := range s.clients {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *client) int { return strings.Compare(a.conn.ID(), b.conn.ID()) })
	return out
}

const stampAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

// packetID makes an id that sorts and never repeats: the time, or what follows the last one.
func (s *Server) packetID() string {
	s.stamp = max(time.Now().UnixMilli(), s.stamp+1)
	var b [11]byte
	n := len(b)
	for v := s.stamp; v > 0; v /= 64 {
		n--
		b[n] = stampAlphabet[v%64]
	}
	return string(b[n:])
}
