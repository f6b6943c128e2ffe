package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// A frame is its length as four bytes, big endian, then the kind and the
// payload, which the length covers.
const (
	// maxFrame bounds kind and payload.
	maxFrame = 64 << 20
	// keepBuffer is the largest buffer that is kept for later frames.
	keepBuffer = 1 << 20
)

type kind byte

// Frames from the platform to the host.
const (
	kindHello    kind = iota + 1 // both ways, first; its beginning must never change
	kindSessions                 // handle, sessions: of the wake that follows
	kindWake                     // handle, room, fence, alarm, sessions
	kindEvent                    // handle, event
	kindEnded                    // handle, seq: the context of the event's request has ended
	kindEvict                    // handle, grace
	kindCall                     // call, what to call
	kindCallEnd                  // call: its context has ended
	kindValues                   // ask, entries: answers kindGet
	kindEntries                  // ask, entries: answers kindList
	kindAsset                    // ask, data: answers kindOpen
	kindDone                     // ask, error: answers kindSync, and anything that failed
)

// Frames from the host to the platform.
const (
	kindBatch   kind = iota + 64 // handle, batch
	kindRelease                  // handle, whether it counts as a death
	kindGet                      // ask, handle, keys
	kindList                     // ask, handle, range
	kindSync                     // ask, handle
	kindFetch                    // ask, handle, call, target, request; handle is 0 outside rooms
	kindOpen                     // ask, handle, call, path; handle is 0 outside rooms
	kindCancel                   // ask: nobody waits for the answer any more
	kindReturn                   // call, outcome, error
)

// Frames of streamed responses. Down they answer kindFetch, up they answer kindCall.
const (
	kindHead   kind = iota + 128 // id, status, header, length
	kindChunk                    // id, whether to flush (up only), data
	kindEOF                      // id, error; down only
	kindCredit                   // id, bytes: the receiver has taken so many
)

var errMalformed = errors.New("malformed frame")

// sizeError says that something does not fit into a frame.
type sizeError int

func (e sizeError) Error() string {
	return fmt.Sprintf("%d bytes are more than the %d MiB that fit between platform and host at once", int(e), maxFrame>>20)
}

// frameReader reads frames from a connection. Not for concurrent use.
type frameReader struct {
	br    *bufio.Reader
	used  int    // bytes of br that the last frame holds
	large []byte // for frames that br cannot hold
}

func newFrameReader(conn net.Conn) *frameReader {
	return &frameReader{br: bufio.NewReaderSize(conn, 32<<10)}
}

// next returns the next frame. Its payload is valid until the next call. The
// error is io.EOF only where a frame would begin.
func (r *frameReader) next() (kind, []byte, error) {
	r.br.Discard(r.used)
	r.used = 0
	head, err := r.br.Peek(4)
	if err != nil {
		if len(head) > 0 && err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	size := int(binary.BigEndian.Uint32(head))
	switch {
	case size == 0:
		return 0, nil, errMalformed
	case size > maxFrame:
		return 0, nil, sizeError(size)
	}
	var frame []byte
	if 4+size <= r.br.Size() {
		frame, err = r.br.Peek(4 + size)
		if err == nil {
			frame = frame[4:]
			r.used = 4 + size
		}
	} else {
		r.br.Discard(4)
		frame, err = r.readLarge(size)
	}
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return kind(frame[0]), frame[1:], nil
}

// readLarge grows its buffer with what arrives, not with what is announced.
func (r *frameReader) readLarge(size int) ([]byte, error) {
	b := r.large[:0]
	for len(b) < size {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.br.Read(b[len(b):min(cap(b), size)])
		b = b[:len(b)+n]
		if err != nil && len(b) < size {
			return nil, err
		}
	}
	r.large = nil
	if cap(b) <= keepBuffer {
		r.large = b
	}
	return b, nil
}
