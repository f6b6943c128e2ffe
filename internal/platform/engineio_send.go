package platform

import (
	"github.com/goparty-dev/party/internal/link"
)

// appendMessage appends the frames of a message and of what follows it.
func appendMessage(b []byte, e *link.Effect) []byte {
	b = appendFrame(b, opcode(e.Binary), e.Data)
	for _, part := range e.Parts {
		b = appendFrame(b, opcode(true), part)
	}
	return b
}

// encodings are the forms of one message that its receivers need, each made
// when the first of them asks. Guarded by room.mu.
type encodings struct {
	frames  []byte   // Engine.IO over WebSocket
	packets []packet // Engine.IO over HTTP
}

func (c *encodings) reset() {
	c.frames, c.packets = c.frames[:0], nil
	if cap(c.frames) > 16<<10 {
		c.frames = nil
	}
}

// pass sends a message to one session, in its encoding. The caller has reset
// r.frame and r.coded. Called with mu held.
func (r *room) pass(s *session, e *link.Effect) {
	if s.engine != nil {
		s.engine.take(r, e)
		return
	}
	if e.Lossy && !s.out.idle() {
		return
	}
	if len(r.frame) == 0 {
		r.frame = appendMessage(r.frame, e)
	}
	s.send(r.frame)
}

// take sends a message to the client. Called with room.mu held.
func (g *engine) take(r *room, e *link.Effect) {
	g.mu.Lock()
	if g.ws {
		g.mu.Unlock()
		if e.Lossy && !g.s.out.idle() {
			return
		}
		if len(r.coded.frames) == 0 {
			r.coded.frames = appendPackets(r.coded.frames, packet{messageKind(e.Binary), e.Data})
			for _, part := range e.Parts {
				r.coded.frames = appendPackets(r.coded.frames, packet{packetBinary, part})
			}
		}
		g.s.send(r.coded.frames)
		return
	}
	if g.closed || g.closing || e.Lossy && (g.poll == nil || len(g.queue) > 0 || g.probed) {
		g.mu.Unlock()
		return
	}
	if r.coded.packets == nil {
		r.coded.packets = packetsOf(e)
	}
	g.push(r.coded.packets...)
	full := g.queued > r.p.limits.SendQueueBytes
	if full {
		g.queue, g.queued = nil, 0
	}
	g.mu.Unlock()
	if full {
		g.s.tooSlow()
	}
}

func messageKind(binary bool) byte {
	if binary {
		return packetBinary
	}
	return packetMessage
}

// push queues packets for the next poll. Called with mu held.
func (g *engine) push(packets ...packet) {
	g.queue = append(g.queue, packets...)
	for _, p := range packets {
		g.queued += p.size()
	}
	g.wake()
}

// drain takes what a poll is to carry away. last says that the session ends
// with it. Called with mu held.
func (g *engine) drain() (packets []packet, last bool) {
	packets = g.queue
	g.queue, g.queued = nil, 0
	if g.closing {
		packets, last = append(packets, packet{kind: packetClose}), true
	}
	return packets, last
}

// idle reports whether the socket would take a frame at once.
func (o *outbox) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conn != nil && len(o.queue) == 0 && !o.flushing && !o.ended
}
