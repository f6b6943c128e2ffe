package party

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/link"
)

// Limits of connections.
const (
	maxTags       = 10       // with the connection's id
	maxTagBytes   = 256      // of one tag
	maxStateBytes = 16 << 10 // of the encoded state
)

// CloseEvent tells how a connection ended.
type CloseEvent struct {
	Code   int    // as sent by whoever closed; 1005 when none was, 1006 when the socket broke
	Reason string // at most 123 bytes
	Clean  bool   // whether there was a close handshake
}

// Conn is one client's connection to a room. It belongs to its room: use
// State and SetState in turns only. Send and Close may be called from any goroutine.
type Conn struct {
	i       *instance
	session link.SessionID
	id      string
	uri     string
	tags    []string
	state   string // encoded; "" when never set
	resumed bool
	closed  bool        // no longer listed. Owned by the room's turn
	shut    atomic.Bool // closed, or Close was called
	at      int         // place in the instance's list
	older   *Conn       // the next older connection with the same id
	inbox   *inbox
	apart   bool // belongs to the engine handler
}

// ID is the connection's id: the client's first non-empty _pk query
// parameter, else generated. Two open connections may have the same.
func (c *Conn) ID() string { return c.id }

// URI is the full URL of the upgrade request, with its query.
func (c *Conn) URI() string { return c.uri }

// Tags are the connection's tags, its id first. The slice is a copy.
func (c *Conn) Tags() []string { return slices.Clone(c.tags) }

// Resumed reports whether OnConnect is called for a connection that was open
// before: it survived a reload, a deploy or a crash, and its client noticed nothing.
func (c *Conn) Resumed() bool { return c.resumed }

// Send sends one message. It leaves when the turn's writes are durable. It does not wait for the
// client: one that reads too slowly is closed with 1013. A message to a
// closed connection is ErrClosed.
func (c *Conn) Send(msg Message, opts ...SendOption) error {
	if msg.err != nil {
		return msg.err
	}
	if len(opts) > 0 {
		return c.sendWith(msg, opts)
	}
	return c.i.emitTo(c, link.Effect{Op: link.Send, Session: c.session, Data: msg.data, Binary: msg.binary, Parts: msg.parts})
}

// sendWith is apart because options move the effect to the heap.
func (c *Conn) sendWith(msg Message, opts []SendOption) error {
	e := link.Effect{Op: link.Send, Session: c.session, Data: msg.data, Binary: msg.binary, Parts: msg.parts}
	for _, o := range opts {
		o.applySend(&e)
	}
	return c.i.emitTo(c, e)
}

// Close closes the connection. The code is 1000, 1001, 1003, 1007–1014 or
// 3000–4999; others become 1011. The reason is cut to 123 bytes. OnClose
// follows, as for any other end; messages that the client sends meanwhile are dropped.
func (c *Conn) Close(code int, reason string) error {
	return c.i.emitClose(c, code, reason)
}

// SetState keeps v, encoded as JSON, with the connection: across hibernation, reloads and crashes, until
// the socket closes. At most 16 KiB. nil removes it.
func (c *Conn) SetState(v any) error {
	var data string
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode connection state: %w", err)
		}
		if len(b) > maxStateBytes {
			return fmt.Errorf("%w: %d bytes", ErrStateTooLarge, len(b))
		}
		data = string(b)
	}
	if data == c.state {
		return nil
	}
	if err := c.i.emitTo(c, link.Effect{Op: link.SetState, Session: c.session, Data: data, Binary: data == ""}); err != nil {
		return err
	}
	c.state = data
	return nil
}

// State decodes the connection's state into v, a pointer. Without state v is left as it is.
func (c *Conn) State(v any) error {
	if c.state == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(c.state), v); err != nil {
		return fmt.Errorf("decode connection state: %w", err)
	}
	return nil
}

// StateOf returns the connection's state as a T; the zero T when none was set.
func StateOf[T any](c *Conn) (T, error) {
	var v T
	err := c.State(&v)
	return v, err
}

// checkTags puts the connection's id first, drops repetitions and applies the limits.
func checkTags(id string, tags []string) ([]string, error) {
	out := make([]string, 1, len(tags)+1)
	out[0] = id
	for _, t := range tags {
		switch {
		case t == "":
			return nil, fmt.Errorf("a connection tag is empty")
		case len(t) > maxTagBytes:
			return nil, fmt.Errorf("a connection tag has %d bytes, at most %d are allowed", len(t), maxTagBytes)
		case !slices.Contains(out, t):
			out = append(out, t)
		}
	}
	if len(out) > maxTags {
		return nil, fmt.Errorf("a connection has %d tags with its id, at most %d are allowed", len(out), maxTags)
	}
	return out, nil
}

// sendableCode replaces close codes that must not be sent (RFC 6455, 7.4).
func sendableCode(code int) int {
	switch {
	case code >= 3000 && code <= 4999,
		code >= 1000 && code <= 1003 && code != 1002,
		code >= 1007 && code <= 1014:
		return code
	}
	return 1011
}

// maxReason is what a close frame has room for beside its code (RFC 6455, 5.5).
const maxReason = 123

// cutReason makes s a valid close reason: UTF-8, at most 123 bytes.
func cutReason(s string) string {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	if len(s) <= maxReason {
		return s
	}
	n := maxReason
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
