package platform

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// flushTimeout is how long a client may take to accept anything at all of what waits for it.
const flushTimeout = 30 * time.Second

// outbox writes to one socket. A write goes straight to the socket, without
// blocking, as long as the socket takes it; what it does not take waits in a
// queue that a goroutine, started for the occasion, drains. So the goroutine
// that broadcasts pays one system call per receiver and never waits for a slow one.
type outbox struct {
	mu    sync.Mutex
	conn  net.Conn // nil before attach and after the end
	raw   syscall.RawConn
	queue []byte
	limit int // of queue, in bytes

	flushing bool   // a goroutine drains the queue
	full     bool   // the queue overflowed; only a close frame may follow
	ended    bool   // a close frame is on its way: nothing more is sent
	cut      bool   // close the socket when the queue is empty
	gone     bool   // the socket is closed, or will be as soon as it is attached
	closed   func() // told when the socket is closed from this side; set before attach. It must not block

	// Of the running direct write.
	pending []byte
	wrote   int
	err     error
	try     func(fd uintptr) bool
}

// attach gives the outbox its socket. What has been queued before is sent.
func (o *outbox) attach(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
		conn.Close()
		return
	}
	o.conn = conn
	if sc, ok := conn.(syscall.Conn); ok && directWrites {
		if raw, err := sc.SyscallConn(); err == nil {
			o.raw = raw
			o.try = o.tryWrite
		}
	}
	if len(o.queue) > 0 {
		o.startFlush()
	}
}

// send sends a whole frame or several. The bytes are not kept. It reports
// false when the queue is over its limit: the frame is dropped, and so is everything after it.
func (o *outbox) send(frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || o.full {
		return true
	}
	return o.write(frame)
}

// end sends a last frame and refuses what comes after it. If cut is set, the
// socket is closed once the frame has left.
func (o *outbox) end(frame []byte, cut bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cut = o.cut || cut
	if !o.ended {
		o.ended = true
		o.limit += len(frame)
		o.write(frame)
	}
	if o.cut && !o.flushing && len(o.queue) == 0 {
		o.close()
	}
}

// abort closes the socket at once.
func (o *outbox) abort() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.queue = nil
	o.close()
}

func (o *outbox) close() {
	o.gone = true
	if o.conn != nil {
		o.conn.Close() // the reader notices
		o.conn = nil
		if o.closed != nil {
			o.closed()
		}
	}
}

// write is called with mu held.
func (o *outbox) write(b []byte) bool {
	if o.raw != nil && len(o.queue) == 0 && !o.flushing && o.conn != nil {
		o.pending, o.wrote, o.err = b, 0, nil
		err := o.raw.Write(o.try)
		n := o.wrote
		o.pending = nil
		if err != nil || o.err != nil {
			return true // the socket is broken, which its reader will tell
		}
		if n == len(b) {
			return true
		}
		b = b[n:]
	} else if o.gone {
		return true
	}
	// A frame larger than the limit is no sign of a slow client, and of one that has been written in
	// part the rest must follow.
	if len(o.queue) > 0 && len(o.queue)+len(b) > o.limit && !o.ended {
		o.full = true
		return false
	}
	o.queue = append(o.queue, b...)
	if o.conn != nil {
		o.startFlush()
	}
	return true
}

func (o *outbox) startFlush() {
	if !o.flushing {
		o.flushing = true
		go o.flush()
	}
}

// flush drains the queue. Frames that gathered in it leave in one write.
func (o *outbox) flush() {
	var spare []byte
	for {
		o.mu.Lock()
		conn, b := o.conn, o.queue
		if len(b) == 0 || conn == nil {
			o.flushing = false
			o.queue = nil
			if o.cut {
				o.close()
			}
			o.mu.Unlock()
			return
		}
		o.queue = spare[:0]
		o.mu.Unlock()

		conn.SetWriteDeadline(time.Now().Add(flushTimeout))
		if _, err := conn.Write(b); err != nil {
			o.abort()
		} else {
			conn.SetWriteDeadline(time.Time{})
		}
		spare = b
	}
}

// closeWrite tells the client that nothing more will come, if all has left.
func (o *outbox) closeWrite() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flushing || len(o.queue) > 0 {
		return
	}
	if c, ok := o.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}
