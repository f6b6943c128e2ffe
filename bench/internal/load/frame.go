package load

import "encoding/binary"

const opText = 0x1

// AppendText appends a client's text frame. The mask is zero, which costs the
// server what any other mask costs it.
func AppendText(buf []byte, payload string) []byte {
	buf = append(buf, 0x80|opText)
	switch n := len(payload); {
	case n < 126:
		buf = append(buf, 0x80|byte(n))
	case n < 1<<16:
		buf = binary.BigEndian.AppendUint16(append(buf, 0x80|126), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint64(append(buf, 0x80|127), uint64(n))
	}
	buf = append(buf, 0, 0, 0, 0)
	return append(buf, payload...)
}

// AppendGet appends a GET request.
func AppendGet(buf []byte, path string) []byte {
	buf = append(buf, "GET "...)
	buf = append(buf, path...)
	return append(buf, " HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"...)
}
