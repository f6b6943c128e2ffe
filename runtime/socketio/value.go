package socketio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// Value is one argument of an event or an ack, as it came. It is immutable and may be kept,
// and sent on as it is. The zero Value is null.
type Value struct {
	raw         json.RawMessage
	attachments [][]byte // of its packet
}

// IsNull reports whether the value is null, or was not given at all.
func (v Value) IsNull() bool { return len(v.raw) == 0 || string(v.raw) == "null" }

// Bytes returns the value if it is binary. The slice must not be modified.
func (v Value) Bytes() ([]byte, bool) {
	if m := placeholder.FindSubmatchIndex(v.raw); m != nil && m[0] == 0 && m[1] == len(v.raw) {
		return v.attachment(v.raw[m[2]:m[3]]), true
	}
	return nil, false
}

func (v Value) attachment(num []byte) []byte {
	n, err := strconv.Atoi(string(num))
	if err != nil || n >= len(v.attachments) {
		return nil // cannot be: settle has looked
	}
	return v.attachments[n]
}

// Text returns the value if it is a string.
func (v Value) Text() (string, bool) {
	var s string
	if len(v.raw) == 0 || v.raw[0] != '"' || json.Unmarshal(v.raw, &s) != nil {
		return "", false
	}
	return s, true
}

// Decode decodes the value into p, a pointer, as encoding/json does. Binary
// goes into fields of type []byte wherever they are, and is a []byte too when p points to an any, a
// map[string]any or a []any; within a struct, an any gets it as base64. A null leaves p as it is.
func (v Value) Decode(p any) error {
	if v.IsNull() {
		return nil
	}
	switch p := p.(type) {
	case *Value:
		*p = v
		return nil
	case *any:
		a, err := v.decodeAny()
		if err != nil {
			return err
		}
		*p = a
		return nil
	case *map[string]any:
		if a, err := v.decodeAny(); err == nil {
			if m, ok := a.(map[string]any); ok {
				*p = m
				return nil
			}
		}
	case *[]any:
		if a, err := v.decodeAny(); err == nil {
			if l, ok := a.([]any); ok {
				*p = l
				return nil
			}
		}
	case *[]byte:
		if b, ok := v.Bytes(); ok {
			*p = bytes.Clone(b)
			return nil
		}
	}
	if err := json.Unmarshal(v.inline(), p); err != nil {
		return fmt.Errorf("decode argument: %w", err)
	}
	return nil
}

// inline is the value with its binary parts as base64, which is what
// encoding/json decodes into a []byte.
func (v Value) inline() []byte {
	if len(v.attachments) == 0 {
		return v.raw
	}
	return placeholder.ReplaceAllFunc(v.raw, func(m []byte) []byte {
		b := v.attachment(placeholder.FindSubmatch(m)[1])
		return append(base64.StdEncoding.AppendEncode([]byte{'"'}, b), '"')
	})
}

func (v Value) decodeAny() (any, error) {
	var a any
	if err := json.Unmarshal(v.raw, &a); err != nil {
		return nil, fmt.Errorf("decode argument: %w", err)
	}
	if len(v.attachments) > 0 {
		a = v.fill(a)
	}
	return a, nil
}

// fill puts attachments in the place of their placeholders.
func (v Value) fill(a any) any {
	switch t := a.(type) {
	case []any:
		for n := range t {
			t[n] = v.fill(t[n])
		}
	case map[string]any:
		if num, ok := t["num"].(float64); ok && t["_placeholder"] == true && int(num) < len(v.attachments) {
			return bytes.Clone(v.attachments[int(num)])
		}
		for k := range t {
			t[k] = v.fill(t[k])
		}
	}
	return a
}

// MarshalJSON writes the value with its binary parts as base64.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.IsNull() {
		return []byte("null"), nil
	}
	return v.inline(), nil
}

// Args are the arguments of an event or an ack. The ack that an event asks
// for goes with them.
type Args struct {
	values []Value
	ack    *answer
}

// Len is how many there are.
func (a Args) Len() int { return len(a.values) }

// At returns one argument, null if there are not so many.
func (a Args) At(n int) Value {
	if n < 0 || n >= len(a.values) {
		return Value{}
	}
	return a.values[n]
}

// Decode decodes the arguments, in order, into pointers. Those that are null or missing leave their pointer as it is, those
// that are too many are ignored.
func (a Args) Decode(into ...any) error {
	for n, p := range into {
		if err := a.At(n).Decode(p); err != nil {
			return fmt.Errorf("argument %d: %w", n, err)
		}
	}
	return nil
}

// Values are the arguments, to be sent on: socket.Emit(name, args.Values()...).
func (a Args) Values() []any {
	out := make([]any, len(a.values))
	for n, v := range a.values {
		out[n] = v
	}
	return out
}

// WantsAck reports whether the event asks for an ack that has not been given.
func (a Args) WantsAck() bool { return a.ack != nil && !a.ack.given }

// Ack answers the event, in this callback or a later turn. Only the first call does something, and
// none if the event asks for no ack.
func (a Args) Ack(values ...any) error {
	if !a.WantsAck() {
		return nil
	}
	a.ack.given = true
	return a.ack.socket.sendAck(a.ack.id, values)
}

// answer is an ack that a client waits for.
type answer struct {
	socket *Socket
	id     int64
	given  bool
}
