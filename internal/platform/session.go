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
	"unicode/utf8"

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
	request *http.Request

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

	ws    *websocket.Conn // owned by the reader
	epoch atomic.Int64    // when something was last read, in pinger periods
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

// socket is the net.Conn that gorilla sees: what it writes by itself goes
// through the session's outbox, so that frames never mix.
type socket struct {
	net.Conn
	out      *outbox
	attached atomic.Bool
}

func (c *socket) Write(b []byte) (int, error) {
	if !c.attached.Load() {
		return c.Conn.Write(b) // the 101
	}
	c.out.send(b)
	return len(b), nil
}

// hijacker hands gorilla the socket in place of the server's connection.
type hijacker struct {
	http.ResponseWriter
	out  *outbox
	conn *socket
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &socket{Conn: conn, out: h.out}
	return h.conn, rw, nil
}

var writePool sync.Pool

func (s *session) upgrade(w http.ResponseWriter, r *http.Request, header http.Header) error {
	ws, conn, err := s.shake(w, r, header)
	if err != nil {
		return err
	}
	s.adopt(ws, conn)
	return nil
}

// shake completes the handshake of a WebSocket, which is not the session's yet.
func (s *session) shake(w http.ResponseWriter, r *http.Request, header http.Header) (*websocket.Conn, *socket, error) {
	h := &hijacker{ResponseWriter: w, out: &s.out}
	up := websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		// Buffers of its own, so that the HTTP server's larger ones are not kept as long as the socket is open.
		ReadBufferSize:  1 << 10,
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
	ws, err := up.Upgrade(h, r, header)
	if err != nil {
		return nil, nil, err
	}
	return ws, h.conn, nil
}

// adopt makes a WebSocket the session's own.
func (s *session) adopt(ws *websocket.Conn, conn *socket) {
	ws.SetReadLimit(int64(s.room.p.limits.MessageBytes))
	ws.SetPingHandler(func(data string) error {
		s.out.send(appendFrame(nil, websocket.PongMessage, data))
		return nil
	})
	ws.SetPongHandler(func(string) error { s.seen(); return nil })
	ws.SetCloseHandler(func(code int, text string) error {
		// The peer's code and reason go back, an empty close gets an empty one
		// (RFC 6455, 5.5.1).
		s.out.end(appendClose(nil, code, text), false)
		return nil
	})
	s.ws = ws
	conn.attached.Store(true)
	s.out.attach(conn.Conn)
}

func (s *session) seen() { s.epoch.Store(s.room.p.epoch.Load()) }

// read is the session's reader: it delivers frames until the socket ends. When a turn gives
// itself up in an await, another reader takes over and this one only ends the turn.
func (s *session) read() {
	handed := false
	yielded := func() { handed = true; go s.read() }
	for {
		kind, data, err := s.next()
		if err != nil {
			s.closed(err)
			return
		}
		s.seen()
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

var frameBuffers = sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}

var errNotUTF8 = errors.New("text message is not valid UTF-8")

// next reads one message into a string of its own. It holds no buffer while it waits.
func (s *session) next() (int, string, error) {
	kind, r, err := s.ws.NextReader()
	if err != nil {
		return 0, "", err
	}
	buf := frameBuffers.Get().(*[]byte)
	defer frameBuffers.Put(buf)
	b := (*buf)[:0]
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, "", err
		}
	}
	if cap(b) <= 64<<10 {
		*buf = b
	}
	if kind == websocket.TextMessage && !utf8.Valid(b) {
		return 0, "", errNotUTF8
	}
	return kind, string(b), nil
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
	case errors.Is(err, websocket.ErrReadLimit):
		// gorilla has sent the close frame.
		ev.Code, ev.Reason = websocket.CloseMessageTooBig, "message too big"
	case errors.Is(err, errNotUTF8):
		ev.Code, ev.Reason = websocket.CloseInvalidFramePayloadData, err.Error()
		s.out.end(appendClose(nil, ev.Code, ev.Reason), false)
	}
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
