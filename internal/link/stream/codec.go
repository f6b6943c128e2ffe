package stream

import (
	"encoding/binary"
	"time"
)

// Integers are varints, strings and lists have their length in front.

func appendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString[T string | []byte](b []byte, s T) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

// appendOptional keeps nil apart from empty.
func appendOptional(b, data []byte) []byte {
	if data == nil {
		return append(b, 0)
	}
	return append(appendUint(b, uint64(len(data))+1), data...)
}

func appendStrings(b []byte, list []string) []byte {
	b = appendUint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// The location of a time is kept as far as it is UTC or not.
const (
	timeZero = iota
	timeLocal
	timeUTC
)

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, timeZero)
	}
	where := byte(timeLocal)
	if t.Location() == time.UTC {
		where = timeUTC
	}
	b = appendInt(append(b, where), t.Unix())
	return appendUint(b, uint64(t.Nanosecond()))
}

// decoder reads a payload. After the first mistake it yields zero values only;
// done tells. What it returns does not alias the payload.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

// done reports whether the payload was well-formed and is used up.
func (d *decoder) done() error {
	if d.bad || len(d.b) > 0 {
		return errMalformed
	}
	return nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) bool() bool {
	v := d.byte()
	if v > 1 {
		d.fail()
	}
	return v == 1
}

// raw returns the next n bytes of the payload itself.
func (d *decoder) raw(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.raw(d.uint())) }

// bytes returns a slice that is never nil.
func (d *decoder) bytes() []byte { return append([]byte{}, d.raw(d.uint())...) }

func (d *decoder) optional() []byte {
	n := d.uint()
	if n == 0 {
		return nil
	}
	return append([]byte{}, d.raw(n-1)...)
}

func (d *decoder) time() time.Time {
	where := d.byte()
	if where == timeZero {
		return time.Time{}
	}
	t := time.Unix(d.int(), int64(d.nanoseconds()))
	switch where {
	case timeLocal:
	case timeUTC:
		t = t.UTC()
	default:
		d.fail()
	}
	if d.bad {
		return time.Time{}
	}
	return t
}

func (d *decoder) nanoseconds() uint64 {
	v := d.uint()
	if v >= uint64(time.Second) {
		d.fail()
		return 0
	}
	return v
}

// count reads the length of a list whose elements take at least least bytes
// each. What a list may claim to hold is bounded by what has arrived.
func (d *decoder) count(least int) int {
	n := d.uint()
	if n > uint64(len(d.b)/least) {
		d.fail()
		return 0
	}
	return int(n)
}

// capacity is what to reserve for n elements; the rest is left to append, so that
// a long list of nothing does not reserve much.
func capacity(n int) int { return min(n, 1024) }

// list decodes a list; nil when it is empty.
func list[T any](d *decoder, least int, element func(*decoder) T) []T {
	n := d.count(least)
	if n == 0 {
		return nil
	}
	out := make([]T, 0, capacity(n))
	for range n {
		if d.bad {
			return nil
		}
		out = append(out, element(d))
	}
	return out
}

func (d *decoder) strings() []string { return list(d, 1, (*decoder).string) }
