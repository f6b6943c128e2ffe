package platform

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
)

// read is the reader of a session whose packets come over a WebSocket. Like
// session.read it hands over when a turn gives itself up.
func (g *engine) read() {
	handed := false
	yielded := func() { handed = true; go g.read() }
	for {
		kind, data, err := g.s.in.next()
		if err != nil {
			g.finish(reasonOf(err))
			return
		}
		message := kind == websocket.BinaryMessage
		if !message {
			if message, err = g.control(data); err != nil {
				g.finish(err.Error())
				return
			}
			if !message {
				continue
			}
			data = data[1:]
		}
		g.deliver(data, kind == websocket.BinaryMessage, yielded)
		if handed {
			return
		}
	}
}

// The ends of a session, named as the Node server names them.
var (
	errTransportClose = errors.New("transport close")
	errTransport      = errors.New("transport error")
	errParse          = errors.New("parse error")
)

// control looks at a text frame and reports whether it is a message. An error ends the session.
func (g *engine) control(frame string) (message bool, err error) {
	if frame == "" {
		return false, errParse
	}
	switch frame[0] {
	case packetMessage:
		return true, nil
	case packetPong:
		g.pong()
	case packetNoop:
	case packetClose:
		return false, errTransportClose
	case packetPing, packetOpen, packetUpgrade:
		return false, errTransport // wrong direction, or wrong moment
	default:
		return false, errParse
	}
	return false, nil
}

func reasonOf(err error) string {
	if errors.Is(err, errBig) || errors.Is(err, errNotUTF8) {
		return errTransport.Error()
	}
	return errTransportClose.Error()
}

// deliver gives a message to the room.
func (g *engine) deliver(data string, binary bool, yielded func()) {
	r := g.s.room
	r.stats.in.Add(1)
	err := r.deliver(r.p.ctx, &link.Event{
		Kind: link.Message, Seq: r.seq.Add(1), Session: g.s.id, Data: data, Binary: binary, Yielded: yielded,
	})
	if err != nil {
		g.s.lost(err)
	}
}

// connectSocket is the handshake of a session that begins on a WebSocket.
func (p *Platform) connectSocket(w http.ResponseWriter, r *http.Request, g *engine) {
	g.ws = true
	g.s.out.send(appendPackets(nil, g.openPacket(false)))
	header, ok := p.admitEngine(w, r, g)
	if !ok {
		return
	}
	p.register(g)
	if err := g.s.upgrade(w, r, header, g.o.MaxPayload); err != nil {
		g.finish(errTransport.Error())
		return
	}
	go g.read()
}

// takeOver lets a WebSocket take over from polling. One that is not wanted is
// closed after its handshake: that is what clients expect.
func (p *Platform) takeOver(w http.ResponseWriter, r *http.Request, g *engine) {
	conn, err := shake(w, r, g.header.Clone())
	if err != nil {
		return
	}
	g.mu.Lock()
	wanted := !g.ws && !g.probing && !g.closed && !g.closing
	g.probing = g.probing || wanted
	g.mu.Unlock()
	if !wanted {
		conn.Close()
		return
	}
	go g.probe(newReader(conn, g.o.MaxPayload, probed{conn}))
}

// noopDelay is how long a poll may still wait when a socket is about to take
// over: the client may have confirmed already, on its other connection.
const noopDelay = 10 * time.Millisecond

// probed answers the control frames of a WebSocket that has not taken over yet.
type probed struct{ conn net.Conn }

func (p probed) pinged(payload string) {
	_, _ = p.conn.Write(appendFrame(nil, websocket.PongMessage, payload)) // what is wrong is seen by the next read
}

func (probed) ponged() {}

// probe follows a WebSocket until it has taken over, or not.
func (g *engine) probe(in *reader) {
	conn := in.conn
	conn.SetReadDeadline(time.Now().Add(g.o.UpgradeTimeout))
	if kind, data, err := in.next(); err == nil && kind == websocket.TextMessage && data == "2probe" {
		g.mu.Lock()
		g.probed = true
		g.mu.Unlock()
		if _, err := conn.Write(appendFrame(nil, websocket.TextMessage, "3probe")); err == nil {
			g.releasePoll()
			if kind, data, err = in.next(); err == nil && kind == websocket.TextMessage && data == "5" && g.change(in) {
				g.read()
				return
			}
		}
	}
	in.end()
	conn.Close()
	g.mu.Lock()
	g.probing, g.probed = false, false
	g.wake()
	g.mu.Unlock()
}

// releasePoll ends a waiting poll soon, so that the client can stop polling.
func (g *engine) releasePoll() {
	time.AfterFunc(noopDelay, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.probed && !g.ws && len(g.queue) == 0 {
			g.answer(http.StatusOK, string(rune(packetNoop)))
		}
		g.wake()
	})
}

// change makes the WebSocket the session's transport, beginning with what waits for a poll.
func (g *engine) change(in *reader) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	in.conn.SetReadDeadline(time.Time{})
	g.ws, g.probed, g.probing = true, false, false
	g.answer(http.StatusBadRequest, engineErrors[engineBadRequest])
	if len(g.queue) > 0 {
		g.s.out.send(appendPackets(nil, g.queue...))
		g.queue, g.queued = nil, 0
	}
	if g.closing {
		g.s.out.end(appendClose(nil, 0, ""), false)
	}
	g.s.adopt(in)
	return true
}
