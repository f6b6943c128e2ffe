package stream

import (
	"encoding/binary"
	"net"
	"sync"
)

// highWater is how many bytes may wait to be written before flush blocks.
const highWater = 1 << 20

// writer writes frames to a connection, from any goroutine. A frame is encoded
// straight into the buffer of those that wait. Whoever flushes first writes;
// what others add meanwhile leaves with the next write, all at once.
type writer struct {
	conn net.Conn

	mu       sync.Mutex // guards what follows
	shrunk   sync.Cond  // on mu: buf has shrunk
	buf      []byte     // frames that wait
	spare    []byte     // the other buffer
	start    int        // of the frame that is being encoded
	flushing bool       // somebody writes
	err      error      // the connection is broken
}

func newWriter(conn net.Conn) *writer {
	w := &writer{conn: conn}
	w.shrunk.L = &w.mu
	return w
}

// begin opens a frame: the caller appends the payload to the result and must
// hand it to end, without blocking in between. The writer is locked until then.
func (w *writer) begin(k kind) []byte {
	w.mu.Lock()
	w.start = len(w.buf)
	return append(w.buf, 0, 0, 0, 0, byte(k))
}

// end completes a frame. It does not block; flush or kick must follow. A frame that is too large
// is dropped with a sizeError.
func (w *writer) end(b []byte) error {
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	size := len(b) - w.start - 4
	if size > maxFrame {
		return sizeError(size)
	}
	binary.BigEndian.PutUint32(b[w.start:], uint32(size))
	w.buf = b
	return nil
}

// flush sees to it that the frames so far are written: by this goroutine if
// no other is at it. It waits if too much is waiting already.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flushing {
		for len(w.buf) > highWater && w.err == nil {
			w.shrunk.Wait()
		}
		return
	}
	if len(w.buf) == 0 {
		return
	}
	w.flushing = true
	w.write()
	if len(w.buf) > 0 {
		go w.drain() // others go on adding; that is not this caller's burden
		return
	}
	w.flushing = false
}

// kick is flush for those that must not block.
func (w *writer) kick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.flushing && len(w.buf) > 0 {
		w.flushing = true
		go w.drain()
	}
}

func (w *writer) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.buf) > 0 {
		w.write()
	}
	w.flushing = false
}

// write writes what waits. Called with mu held, which is released meanwhile.
func (w *writer) write() {
	b := w.buf
	w.buf, w.spare = w.spare[:0], nil
	w.shrunk.Broadcast()
	w.mu.Unlock()
	_, err := w.conn.Write(b)
	if err != nil {
		w.conn.Close() // the reader notices
	}
	w.mu.Lock()
	if cap(b) <= keepBuffer {
		w.spare = b[:0]
	}
	if err != nil {
		w.err, w.buf = err, nil
		w.shrunk.Broadcast()
	}
}
