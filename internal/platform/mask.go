package platform

import "encoding/binary"

// unmask takes a client's mask off a payload (RFC 6455, 5.3), in place.
func unmask(b []byte, mask [4]byte) {
	word := uint64(binary.LittleEndian.Uint32(mask[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for n := range b {
		b[n] ^= mask[n&3]
	}
}
