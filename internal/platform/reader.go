package platform

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// reader reads the frames of one client (RFC 6455, 5.2) and puts messages together. It is the platform's own, because a
// reader that stops between two frames leaves nothing in memory: no goroutine, see parking, and no buffer.
// It belongs to one goroutine at a time.
type reader struct {
	// set before it is used, then read-only
	conn  net.Conn
	raw   syscall.RawConn // nil if the socket cannot be read without waiting
	limit int             // of a message, in bytes
	peer  peer
	rests bool // a deadline between two frames is a request to stop, see errRest

	busy    bool // wait for the next frame; otherwise stop where there is none
	watched bool // parking knows the socket

	buf      *[]byte // what has been read; nil while there is nothing
	from, to int     // the part of it that is not parsed

	// of a message in several frames
	kind  int // 0 outside of one
	parts []byte

	try func(fd uintptr) bool
	dst []byte
	n   int
	err error
}

// peer is told of the control frames that end nothing.
type peer interface {
	pinged(payload string)
	ponged()
}

// newReader makes a reader of a socket after its handshake.
func newReader(conn net.Conn, limit int, p peer) *reader {
	r := &reader{conn: conn, limit: limit, peer: p, busy: true}
	if sc, ok := conn.(syscall.Conn); ok && directWrites {
		if raw, err := sc.SyscallConn(); err == nil {
			r.raw, r.try = raw, r.tryRead
		}
	}
	return r
}

// bufferSize is how much is read at a time. A frame that fits is not copied on its way into a message.
const bufferSize = 4096

var frameBuffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// Errors of next, besides those of the socket and websocket.CloseError.
var (
	errNotUTF8 = errors.New("text message is not valid UTF-8")
	errBig     = errors.New("message too big")
	// errRest says that there is nothing to read, between two frames.
	errRest = errors.New("nothing to read")
)

// protocolError says how a client has broken the protocol.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// What stands in the head of a frame.
const (
	finBit  = 0x80
	rsvBits = 0x70
	maskBit = 0x80

	continuation = 0
	maxControl   = 125
	maxHead      = 14
)

// frameHead is a frame without its payload.
type frameHead struct {
	op   int
	fin  bool
	size int // of the payload, in bytes
	mask [4]byte
}

// next reads one message, answering control frames on the way. After an error other than errRest
// there is no next one.
func (r *reader) next() (kind int, data string, err error) {
	for {
		h, err := r.head()
		if err != nil {
			return 0, "", err
		}
		if h.op >= websocket.CloseMessage {
			if err := r.control(h); err != nil {
				return 0, "", err
			}
			continue
		}
		switch {
		case h.op == continuation && r.kind == 0:
			return 0, "", protocolError("a frame continues nothing")
		case h.op != continuation && r.kind != 0:
			return 0, "", protocolError("a message begins in another one")
		case h.size > r.limit-len(r.parts):
			return 0, "", errBig
		case h.op != continuation:
			r.kind = h.op
		}
		if h.fin && r.parts == nil && h.size <= bufferSize-maxHead {
			payload, err := r.payload(h)
			if err != nil {
				return 0, "", err
			}
			data = string(payload)
		} else {
			if err := r.collect(h); err != nil {
				return 0, "", err
			}
			if !h.fin {
				continue
			}
			data = string(r.parts)
			r.parts = nil
		}
		kind, r.kind = r.kind, 0
		r.forget()
		if kind == websocket.TextMessage && !utf8.ValidString(data) {
			return 0, "", errNotUTF8
		}
		return kind, data, nil
	}
}

// head reads what stands before a payload.
func (r *reader) head() (h frameHead, err error) {
	b, err := r.peek(2)
	if err != nil {
		return h, err
	}
	h.op, h.fin = int(b[0]&0x0f), b[0]&finBit != 0
	switch {
	case b[0]&rsvBits != 0:
		return h, protocolError("reserved bits are set")
	case b[1]&maskBit == 0:
		return h, protocolError("a frame without a mask")
	case h.op > websocket.BinaryMessage && h.op < websocket.CloseMessage || h.op > websocket.PongMessage:
		return h, protocolError("a frame of an unknown kind")
	}
	size, n := uint64(b[1]&^maskBit), 2
	if h.op >= websocket.CloseMessage && (size > maxControl || !h.fin) {
		return h, protocolError("a control frame that is long or in parts")
	}
	switch size {
	case 126:
		if b, err = r.peek(4); err != nil {
			return h, err
		}
		size, n = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if b, err = r.peek(10); err != nil {
			return h, err
		}
		if size, n = binary.BigEndian.Uint64(b[2:]), 10; size > math.MaxInt32 {
			return h, errBig // whatever the limit is
		}
	}
	if b, err = r.peek(n + 4); err != nil {
		return h, err
	}
	h.size = int(size)
	h.mask = [4]byte(b[n:])
	r.from += n + 4
	return h, nil
}

// payload returns a payload that fits into the buffer, until the next read.
func (r *reader) payload(h frameHead) ([]byte, error) {
	b, err := r.peek(h.size)
	if err != nil {
		return nil, err
	}
	unmask(b[:h.size], h.mask)
	r.from += h.size
	return b[:h.size], nil
}

// collect appends a payload to parts. What is announced is not believed: memory is taken as bytes come.
func (r *reader) collect(h frameHead) error {
	if r.parts == nil {
		r.parts = make([]byte, 0, min(h.size, bufferSize))
	}
	begun := len(r.parts)
	n := min(h.size, r.to-r.from)
	if n > 0 {
		r.parts = append(r.parts, (*r.buf)[r.from:r.from+n]...)
		r.from += n
	}
	r.forget()
	for n < h.size {
		if len(r.parts) == cap(r.parts) {
			r.parts = append(r.parts, 0)[:len(r.parts)]
		}
		room := r.parts[len(r.parts):min(cap(r.parts), begun+h.size)]
		got, err := r.read(room)
		if err != nil {
			return err
		}
		r.parts = r.parts[:len(r.parts)+got]
		n += got
	}
	unmask(r.parts[begun:], h.mask)
	return nil
}

// control answers a control frame. A close frame is returned as an error.
func (r *reader) control(h frameHead) error {
	b, err := r.payload(h)
	if err != nil {
		return err
	}
	switch h.op {
	case websocket.PingMessage:
		r.peer.pinged(string(b))
	case websocket.PongMessage:
		r.peer.ponged()
	default:
		return closeOf(b)
	}
	r.forget()
	return nil
}

// closeOf reads the payload of a close frame (RFC 6455, 5.5.1 and 7.4).
func closeOf(b []byte) error {
	if len(b) == 0 {
		return &websocket.CloseError{Code: websocket.CloseNoStatusReceived}
	}
	if len(b) == 1 {
		return protocolError("half a close code")
	}
	code := int(binary.BigEndian.Uint16(b))
	switch {
	case code >= 3000 && code < 5000:
	case code >= 1000 && code < 1015 && code != 1004 && code != websocket.CloseNoStatusReceived && code != websocket.CloseAbnormalClosure:
	default:
		return protocolError("a close code that must not be sent")
	}
	if !utf8.Valid(b[2:]) {
		return protocolError("a close reason that is not UTF-8")
	}
	return &websocket.CloseError{Code: code, Text: string(b[2:])}
}

// peek returns at least n bytes that are not parsed yet, n being no more than fits.
func (r *reader) peek(n int) ([]byte, error) {
	for r.to-r.from < n {
		if r.buf != nil && r.from+n > bufferSize {
			r.to = copy(*r.buf, (*r.buf)[r.from:r.to])
			r.from = 0
		}
		got, err := r.read(nil)
		if err != nil {
			return nil, err
		}
		r.to += got
	}
	if n == 0 {
		return nil, nil
	}
	return (*r.buf)[r.from:r.to], nil
}

// between reports whether nothing of a frame or of a message has been read that is not done with.
func (r *reader) between() bool { return r.from == r.to && r.kind == 0 }

// forget gives the buffer back if nothing is in it.
func (r *reader) forget() {
	if r.buf != nil && r.from == r.to {
		frameBuffers.Put(r.buf)
		r.buf, r.from, r.to = nil, 0, 0
	}
}

// read reads some bytes into dst, or behind what is in the buffer if dst is nil. There is no buffer while it waits
// for the first byte of a frame, if the socket allows that.
func (r *reader) read(dst []byte) (int, error) {
	for {
		n, err := r.readOnce(dst)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, os.ErrDeadlineExceeded) && r.rests:
			if err := r.conn.SetReadDeadline(time.Time{}); err != nil {
				return 0, err
			}
			if r.between() {
				return 0, errRest
			}
		case err == io.EOF:
			return 0, io.ErrUnexpectedEOF // there was no close frame
		case err != nil:
			return 0, err
		}
	}
}

func (r *reader) readOnce(dst []byte) (int, error) {
	if r.raw == nil {
		if dst == nil {
			r.take()
			dst = (*r.buf)[r.to:]
		}
		return r.conn.Read(dst)
	}
	r.dst, r.n, r.err = dst, 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return 0, err
	}
	r.dst = nil
	return r.n, r.err
}

// take makes sure that there is a buffer.
func (r *reader) take() {
	if r.buf == nil {
		r.buf = frameBuffers.Get().(*[]byte)
	}
}

// refuse returns the code of the close frame that answers what a client has done wrong, 0 for other errors.
func (r *reader) refuse(err error) int {
	switch {
	case errors.Is(err, errBig):
		return websocket.CloseMessageTooBig
	case errors.Is(err, errNotUTF8):
		return websocket.CloseInvalidFramePayloadData
	case errors.As(err, new(protocolError)):
		return websocket.CloseProtocolError
	}
	return 0
}

// end gives back what is left in memory when there is no next message.
func (r *reader) end() {
	r.from, r.to, r.parts = 0, 0, nil
	r.forget()
}
