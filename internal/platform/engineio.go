package platform

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
)

// engine is what a session has beyond a socket when its client speaks
// Engine.IO 4: by HTTP long-polling, over a WebSocket, or over the first and then the
// second. The room does not see the difference.
type engine struct {
	// Set when made, then read-only.
	s      *session
	sid    string
	o      *link.Engine
	header http.Header // added to every response; guarded by room.mu until the handshake is answered

	mu sync.Mutex // guards what follows; taken after room.mu, before Platform.sessionsMu and the outbox's

	ws       bool // packets go to the socket; never taken back
	probing  bool // another WebSocket wants to take over
	probed   bool // and has been answered
	closing  bool // the client has yet to be told by a poll that this is the end
	closed   bool
	queue    []packet // for the next poll
	queued   int      // bytes of queue
	poll     *poll    // the GET that waits
	posting  bool     // a POST is being read
	beat     *time.Timer
	awaiting bool      // a ping has not been answered
	deadline time.Time // when the next pong must have come, by the time of the last one
}

// poll is a GET that waits for packets.
type poll struct {
	ready  chan struct{} // has room for one signal
	status int           // not 0: the answer is this, with text for a body
	text   string
}

// answer ends a poll with a given answer. Called with engine.mu held.
func (g *engine) answer(status int, text string) {
	if p := g.poll; p != nil {
		p.status, p.text = status, text
		g.poll = nil
		p.ready <- struct{}{}
	}
}

// wake lets a waiting poll take what is in the queue. Called with engine.mu held.
func (g *engine) wake() {
	if g.poll != nil {
		select {
		case g.poll.ready <- struct{}{}:
		default:
		}
	}
}

// register makes the session findable by its sid, and starts the heartbeat.
func (p *Platform) register(g *engine) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.deadline = time.Now().Add(g.o.PingInterval + g.o.PingTimeout)
	g.beat = time.AfterFunc(g.o.PingInterval, g.heartbeat)
	p.sessionsMu.Lock()
	defer p.sessionsMu.Unlock()
	if p.engines == nil {
		p.engines = make(map[string]*engine)
	}
	p.engines[g.sid] = g
}

// engineOf finds a session of a room.
func (p *Platform) engineOf(sid string) *engine {
	p.sessionsMu.Lock()
	defer p.sessionsMu.Unlock()
	return p.engines[sid]
}

// heartbeat sends a ping, or gives the client up that has not answered the last one. The room sleeps on.
func (g *engine) heartbeat() {
	g.mu.Lock()
	if g.closed || g.closing {
		g.mu.Unlock()
		return
	}
	if g.awaiting {
		g.mu.Unlock()
		g.finish("ping timeout")
		return
	}
	g.awaiting = true
	g.beat.Reset(g.o.PingTimeout)
	if !g.ws {
		g.push(packet{kind: packetPing})
		g.mu.Unlock()
		return
	}
	g.mu.Unlock()
	g.s.out.send(appendPackets(nil, packet{kind: packetPing}))
}

// pong notes that the client lives.
func (g *engine) pong() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.awaiting && !g.closed {
		g.awaiting = false
		g.deadline = time.Now().Add(g.o.PingInterval + g.o.PingTimeout)
		g.beat.Reset(g.o.PingInterval)
	}
}

// late reports whether the client is past its time, though the timer may not
// have fired yet. A GET that waits is not. Called with mu held.
func (g *engine) late() bool { return !time.Now().Before(g.deadline) }

// finish ends the session, once. The reason is what the Node server calls it.
func (g *engine) finish(reason string) { g.end(reason, packetClose) }

// end is finish, with the packet that a waiting poll gets as its last.
func (g *engine) end(reason string, last byte) {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return
	}
	g.closed = true
	g.queue, g.queued = nil, 0
	if g.beat != nil {
		g.beat.Stop()
	}
	g.answer(http.StatusOK, string(last))
	ws := g.ws
	g.mu.Unlock()
	p := g.s.room.p
	p.sessionsMu.Lock()
	delete(p.engines, g.sid)
	p.sessionsMu.Unlock()
	if ws {
		g.s.out.end(appendClose(nil, 0, ""), true)
	}
	ev := &link.Event{
		Kind: link.Close, Seq: g.s.room.seq.Add(1), Session: g.s.id,
		Code: websocket.CloseNoStatusReceived, Reason: reason, Clean: reason == "transport close",
	}
	go g.s.room.socketGone(g.s, ev) // the room may be busy; an answer to a request need not wait for it
}

// shut ends the session from the room's side, after what has been sent. Called with room.mu held.
func (g *engine) shut(code int, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.closing {
		return
	}
	g.closing = true
	patience, why := closeWait, "forced close"
	if g.s.room.p.closing.Load() {
		why = "server shutting down"
	}
	switch {
	case g.ws:
		g.s.out.end(appendClose(nil, code, reason), false)
	case g.poll != nil:
		g.wake()
	case g.s.room.p.closing.Load():
		patience = 0 // no poll will be let in any more
	}
	time.AfterFunc(patience, func() { g.finish(why) })
}

// cut ends the session at once.
func (g *engine) cut() { g.finish("server shutting down") }
