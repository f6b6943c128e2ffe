package platform

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
)

// closeWait is how long a client has to answer a close frame.
const closeWait = 5 * time.Second

// session is one socket, as the gateway sees it.
type session struct {
	// Set when made, then read-only.
	id      link.SessionID
	room    *room
	conn    string // the connection's id, as user code sees it
	uri     string
	request condensed // of the upgrade

	out outbox

	// Guarded by room.mu.
	tags    []string
	state   []byte
	member  int    // place in room.members, -1 outside
	joined  bool   // OnConnect has begun: the host knows it
	openSeq uint64 // of the Open event
	taken   bool   // the Open event is consumed
	gone    bool   // the socket has ended
	forgot  bool   // the host has forgotten it: no Close event
	told    bool   // the Close event is under way, or has been
	code    int    // of our own close frame; 0 when none was sent
	reason  string
	verdict verdict
	decided chan struct{} // closed with the verdict

	engine *engine // nil unless the client speaks Engine.IO. Set when made
	apart  bool    // broadcasts reach it by name only. Guarded by room.mu

	in    *reader      // set with the socket, then owned by whoever reads
	epoch atomic.Int64 // when something was last read, in pinger periods
}

// verdict is what becomes of an upgrade that waits.
type verdict struct {
	made   bool
	status int // not 0: answer with plain HTTP
	text   string
	header http.Header // of the answer to an Engine.IO handshake
}

func (s *session) decide(v verdict) {
	if s.verdict.made {
		return
	}
	v.made = true
	s.verdict = v
	close(s.decided)
}

// send is called with room.mu held.
func (s *session) send(frame []byte) {
	if !s.out.send(frame) {
		s.tooSlow()
	}
}

// tooSlow is called with room.mu held.
func (s *session) tooSlow() {
	s.room.stats.slow.Add(1)
	s.room.p.log.Info("connection reads too slowly and is closed", "party", s.room.key.Party, "room", s.room.key.Name, "conn", s.conn)
	s.shut(websocket.CloseTryAgainLater, "too slow")
	s.tellEnd(s.code, s.reason)
}

// tellEnd tells the room of a session's end before its reader does. That may take a slow client
// closeWait, and a reader that is held back does not notice at all. Called with room.mu held.
func (s *session) tellEnd(code int, reason string) {
	if !s.joined || s.forgot || s.told || s.engine != nil {
		return
	}
	r := s.room
	s.told = true
	ev := &link.Event{Kind: link.Close, Seq: r.seq.Add(1), Session: s.id, Code: code, Reason: reason}
	r.track(ev.Seq, tracked{closed: s})
	r.use()
	go func() { // the turn that has sent too much is still to end
		r.deliverClose(s, ev)
		r.unuse()
	}()
}

// cutOff ends a session whose client has fallen silent.
func (s *session) cutOff() {
	s.out.abort()
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	s.room.leave(s)
	s.tellEnd(websocket.CloseAbnormalClosure, "")
}

// shut sends a close frame after what has been sent. Called with room.mu held.
func (s *session) shut(code int, reason string) {
	if s.code != 0 || s.gone {
		return
	}
	s.code, s.reason = code, reason
	s.room.leave(s)
	if s.engine != nil {
		s.engine.shut(code, reason)
		return
	}
	s.out.end(appendClose(nil, code, reason), false)
	time.AfterFunc(closeWait, s.out.abort)
}

// hijacker keeps hold of the connection that gorilla takes from the HTTP server.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, rw, err
}

var writePool sync.Pool

// upgrade completes the handshake and makes the socket the session's. A message is at most limit bytes.
func (s *session) upgrade(w http.ResponseWriter, r *http.Request, header http.Header, limit int) error {
	conn, err := shake(w, r, header)
	if err != nil {
		return err
	}
	s.adopt(newReader(conn, limit, s))
	return nil
}

// shake completes the handshake of a WebSocket. gorilla's part ends with it: it refuses a client that has sent more than
// its handshake, so nothing is lost in its buffer.
func shake(w http.ResponseWriter, r *http.Request, header http.Header) (net.Conn, error) {
	h := &hijacker{ResponseWriter: w}
	up := websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		// Small ones, which are dropped with gorilla's connection.
		ReadBufferSize:  1 << 8,
		WriteBufferSize: 1 << 10,
		WriteBufferPool: &writePool,
		CheckOrigin:     func(*http.Request) bool { return true }, // checked before
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, "the WebSocket handshake failed", status)
		},
	}
	if offered := websocket.Subprotocols(r); len(offered) > 0 {
		up.Subprotocols = offered[:1]
	}
	if _, err := up.Upgrade(h, r, header); err != nil {
		return nil, err
	}
	return h.conn, nil
}

// adopt makes a socket the session's own. What has been sent before leaves now.
func (s *session) adopt(in *reader) {
	in.peer, in.rests = s, s.engine == nil && in.raw != nil
	s.in = in
	s.out.closed = s.wake
	s.out.attach(in.conn)
}

func (s *session) pinged(payload string) {
	s.out.send(appendFrame(nil, websocket.PongMessage, payload))
}
func (s *session) ponged() { s.seen() }

// rest asks the session's reader to stop if there is nothing to read.
func (s *session) rest() {
	if s.engine != nil || !canPark {
		return
	}
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.conn != nil && s.out.raw != nil {
		_ = s.out.conn.SetReadDeadline(time.Unix(1, 0)) // if it is closed, its reader knows
	}
}

// wake gives a session that is parked its reader back, who sees what has happened to the socket.
func (s *session) wake() {
	if s.engine == nil {
		s.room.p.parking.wake(uint64(s.id))
	}
}

func (s *session) seen() { s.epoch.Store(s.room.p.epoch.Load()) }

// read is the session's reader: it delivers frames until the socket ends. When a turn gives
// itself up in an await, another reader takes over and this one only ends the turn.
func (s *session) read() {
	handed := false
	yielded := func() { handed = true; go s.read() }
	for {
		kind, data, err := s.in.next()
		if err == errRest {
			if s.room.p.parking.park(s) {
				return
			}
			s.in.busy = true
			continue
		}
		if err != nil {
			s.closed(err)
			return
		}
		s.seen()
		s.in.busy = true // where one message comes from, there are more
		s.room.stats.in.Add(1)
		ev := &link.Event{
			Kind: link.Message, Seq: s.room.seq.Add(1), Session: s.id,
			Data: data, Binary: kind == websocket.BinaryMessage,
			Yielded: yielded,
		}
		if err := s.room.deliver(s.room.p.ctx, ev); err != nil {
			s.lost(err)
		}
		if handed {
			return
		}
	}
}

// lost ends a session whose message could not be delivered.
func (s *session) lost(err error) {
	r := s.room
	if r.p.ctx.Err() == nil {
		r.p.log.Error("message not delivered, its connection is closed", "party", r.key.Party, "room", r.key.Name, "conn", s.conn, "err", err)
	}
	r.mu.Lock()
	s.shut(websocket.CloseInternalServerErr, "the room is not available")
	r.mu.Unlock()
}

// closed ends the session: it settles how the socket ended and tells the room.
func (s *session) closed(err error) {
	ev := &link.Event{Kind: link.Close, Seq: s.room.seq.Add(1), Session: s.id, Code: websocket.CloseAbnormalClosure}
	var ce *websocket.CloseError
	switch {
	case errors.As(err, &ce) && ce.Code != websocket.CloseAbnormalClosure:
		ev.Code, ev.Reason, ev.Clean = ce.Code, ce.Text, true
		s.room.mu.Lock()
		if s.code != 0 { // the peer has confirmed our close, perhaps in other words
			ev.Code, ev.Reason = s.code, s.reason
		}
		s.room.mu.Unlock()
		s.out.end(appendClose(nil, ce.Code, ce.Text), true)
	default:
		if code := s.in.refuse(err); code != 0 {
			ev.Code, ev.Reason = code, err.Error()
			said := ev.Reason
			if code == websocket.CloseMessageTooBig {
				said = "" // the code says it all
			}
			s.out.end(appendClose(nil, code, said), false)
		}
	}
	s.in.end()
	s.room.socketGone(s, ev)
	if !ev.Clean {
		s.linger()
	}
}

// linger reads on for a moment after our own last frame, because closing a socket
// with unread input makes the kernel throw away what we sent.
func (s *session) linger() {
	s.out.mu.Lock()
	conn := s.out.conn
	s.out.mu.Unlock()
	if conn == nil {
		return
	}
	s.out.end(nil, false)
	s.out.closeWrite()
	conn.SetReadDeadline(time.Now().Add(closeWait / 5))
	io.CopyN(io.Discard, conn, 8<<20)
	s.out.abort()
}
