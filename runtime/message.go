package party

import (
	"encoding/json"
	"fmt"
	"unsafe"
)

// Message is one WebSocket message, text or binary. It is immutable and may
// be kept. The zero Message is an empty text.
type Message struct {
	data   string
	binary bool
	parts  []string // binary messages that follow
	err    error    // of JSON: reported by whoever sends it
}

// Text makes a text message. s should be valid UTF-8, which browsers insist on.
func Text(s string) Message { return Message{data: s} }

// Binary makes a binary message with a copy of b.
func Binary(b []byte) Message { return Message{data: string(b), binary: true} }

// JSON makes a text message of v. If v cannot be encoded, sending the message
// returns the error.
func JSON(v any) Message {
	b, err := json.Marshal(v)
	if err != nil {
		return Message{err: fmt.Errorf("encode message: %w", err)}
	}
	return Message{data: unsafe.String(unsafe.SliceData(b), len(b))} // b is never written again
}

// Followed returns the message with binary messages behind it, all sent as
// one: nothing comes between them. The bytes are copied.
func (m Message) Followed(by ...[]byte) Message {
	parts := make([]string, len(m.parts), len(m.parts)+len(by))
	copy(parts, m.parts)
	for _, b := range by {
		parts = append(parts, string(b))
	}
	m.parts = parts
	return m
}

// IsText reports whether the message is text.
func (m Message) IsText() bool { return !m.binary }

// Text returns the payload.
func (m Message) Text() string { return m.data }

// Bytes returns a copy of the payload.
func (m Message) Bytes() []byte { return []byte(m.data) }

// Len returns the payload's length in bytes.
func (m Message) Len() int { return len(m.data) }

// Decode decodes the payload as JSON into v, a pointer.
func (m Message) Decode(v any) error {
	// json.Unmarshal only reads its input.
	if err := json.Unmarshal(unsafe.Slice(unsafe.StringData(m.data), len(m.data)), v); err != nil {
		return fmt.Errorf("decode message: %w", err)
	}
	return nil
}
