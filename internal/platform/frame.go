package platform

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// appendFrame appends an unmasked, unfragmented server frame (RFC 6455, 5.2).
func appendFrame(buf []byte, opcode int, payload string) []byte {
	return append(appendHead(buf, opcode, len(payload)), payload...)
}

// appendHead appends what stands before a payload of n bytes.
func appendHead(buf []byte, opcode, n int) []byte {
	buf = append(buf, 0x80|byte(opcode))
	switch {
	case n < 126:
		return append(buf, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(buf, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(buf, 127), uint64(n))
	}
}

func opcode(isBinary bool) int {
	if isBinary {
		return websocket.BinaryMessage
	}
	return websocket.TextMessage
}

// appendClose appends a close frame. Codes that must not be sent give an empty one.
func appendClose(buf []byte, code int, reason string) []byte {
	return appendFrame(buf, websocket.CloseMessage, string(closePayload(code, reason)))
}

func closePayload(code int, reason string) []byte {
	switch code {
	case 0, websocket.CloseNoStatusReceived, websocket.CloseAbnormalClosure, websocket.CloseTLSHandshake:
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}
