package platform

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
)

// The kinds of Engine.IO packets, as they begin on the wire. packetBinary is a
// binary message, which begins so only over HTTP.
const (
	packetOpen    = '0'
	packetClose   = '1'
	packetPing    = '2'
	packetPong    = '3'
	packetMessage = '4'
	packetUpgrade = '5'
	packetNoop    = '6'
	packetBinary  = 'b'
)

// packetSeparator stands between the packets of one HTTP body.
const packetSeparator = '\x1e'

// packet is one Engine.IO packet. The data of a binary one is raw.
type packet struct {
	kind byte
	data string
}

var errPayload = errors.New("malformed Engine.IO payload")

// parsePayload reads the packets of a POST. Every client packet that has no
// business there makes the whole payload malformed.
func parsePayload(body string) ([]packet, error) {
	if !utf8.ValidString(body) {
		return nil, errPayload
	}
	out := make([]packet, 0, strings.Count(body, string(packetSeparator))+1)
	for part := range strings.SplitSeq(body, string(packetSeparator)) {
		if part == "" {
			return nil, errPayload
		}
		p := packet{part[0], part[1:]}
		switch p.kind {
		case packetMessage, packetPong, packetClose, packetNoop:
		case packetBinary:
			data, err := base64.StdEncoding.DecodeString(p.data)
			if err != nil {
				return nil, errPayload
			}
			p.data = string(data)
		default:
			return nil, errPayload
		}
		out = append(out, p)
	}
	return out, nil
}

// appendPayload writes packets as the body of an answer to a GET.
func appendPayload(b []byte, packets []packet) []byte {
	for n, p := range packets {
		if n > 0 {
			b = append(b, packetSeparator)
		}
		b = append(b, p.kind)
		if p.kind == packetBinary {
			b = base64.StdEncoding.AppendEncode(b, []byte(p.data))
		} else {
			b = append(b, p.data...)
		}
	}
	return b
}

// size is about what the packet takes in a body.
func (p packet) size() int {
	if p.kind == packetBinary {
		return base64.StdEncoding.EncodedLen(len(p.data)) + 2
	}
	return len(p.data) + 2
}

// appendPackets appends packets as WebSocket frames.
func appendPackets(b []byte, packets ...packet) []byte {
	for _, p := range packets {
		if p.kind == packetBinary {
			b = appendFrame(b, websocket.BinaryMessage, p.data)
			continue
		}
		b = appendHead(b, websocket.TextMessage, len(p.data)+1)
		b = append(append(b, p.kind), p.data...)
	}
	return b
}

// packetsOf are the packets of a message and what follows it.
func packetsOf(e *link.Effect) []packet {
	out := make([]packet, 1, 1+len(e.Parts))
	out[0] = packet{packetMessage, e.Data}
	if e.Binary {
		out[0].kind = packetBinary
	}
	for _, part := range e.Parts {
		out = append(out, packet{packetBinary, part})
	}
	return out
}
