package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// Splitter finds the first message in b. It returns the message and how many
// bytes it took; n is 0 when the message is not complete yet. A nil message
// with n > 0 is something the caller need not see. The message points into b.
type Splitter func(b []byte) (message []byte, n int, err error)

// maxLength bounds what a splitter waits for.
const maxLength = 64 << 20

const (
	opContinuation = 0x0
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// SplitFrame splits a stream of unmasked, unfragmented WebSocket frames. The
// message is a frame's payload. Pings and pongs are skipped; a close frame is an error.
func SplitFrame(b []byte) (message []byte, n int, err error) {
	if len(b) < 2 {
		return nil, 0, nil
	}
	op, length, head := b[0]&0x0f, uint64(b[1]&0x7f), 2
	switch {
	case b[0]&0x80 == 0 || op == opContinuation:
		return nil, 0, errors.New("frame is fragmented")
	case b[1]&0x80 != 0:
		return nil, 0, errors.New("frame of a server is masked")
	case length == 126:
		if len(b) < 4 {
			return nil, 0, nil
		}
		length, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127:
		if len(b) < 10 {
			return nil, 0, nil
		}
		length, head = binary.BigEndian.Uint64(b[2:]), 10
	}
	if length > maxLength {
		return nil, 0, fmt.Errorf("frame of %d bytes", length)
	}
	n = head + int(length)
	if len(b) < n {
		return nil, 0, nil
	}
	switch payload := b[head:n:n]; op {
	case opPing, opPong:
		return nil, n, nil
	case opClose:
		if len(payload) < 2 {
			return nil, 0, errors.New("server closed without a code")
		}
		return nil, 0, fmt.Errorf("server closed with %d %q", binary.BigEndian.Uint16(payload), payload[2:])
	default:
		return payload, n, nil
	}
}

// SplitResponse splits a stream of HTTP/1.1 responses that have a
// Content-Length. The message is the body. A status other than 200 is an error.
func SplitResponse(b []byte) (message []byte, n int, err error) {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		if len(b) > 1<<20 {
			return nil, 0, errors.New("headers of more than 1 MiB")
		}
		return nil, 0, nil
	}
	status, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return nil, 0, fmt.Errorf("server answered %q", status)
	}
	length, err := contentLength(fields)
	if err != nil {
		return nil, 0, err
	}
	if len(body) < length {
		return nil, 0, nil
	}
	return body[:length:length], len(head) + 4 + length, nil
}

func contentLength(fields []byte) (int, error) {
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(field, []byte(":"))
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 32)
		if err != nil || n > maxLength {
			return 0, fmt.Errorf("bad Content-Length %q", value)
		}
		return int(n), nil
	}
	return 0, errors.New("response without Content-Length")
}
