package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// packetType is the digit that a Socket.IO packet begins with.
type packetType byte

const (
	packetConnect packetType = iota
	packetDisconnect
	packetEvent
	packetAck
	packetConnectError
	packetBinaryEvent
	packetBinaryAck
)

// maxAttachments is how many binary messages may belong to one packet.
const maxAttachments = 10

// noID stands for a packet without an ack id.
const noID = -1

// packet is one Socket.IO packet.
type packet struct {
	typ         packetType
	nsp         string
	id          int64
	auth        json.RawMessage   // of a connect; nil when there is none
	args        []json.RawMessage // of an event, its name first, or of an ack
	name        string            // of an event
	attachments [][]byte
	missing     int // attachments that are still to come
}

var errMalformed = errors.New("malformed packet")

func malformed(why string) error { return fmt.Errorf("%w: %s", errMalformed, why) }

// reserved are the event names that belong to the library.
var reserved = []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

// decoder puts packets together from the messages of one connection.
type decoder struct {
	partial *packet
	text    string // of partial
}

// decodeText takes a text message. It returns nil when attachments are still to come.
func (d *decoder) decodeText(s string) (*packet, error) {
	if d.partial != nil {
		return nil, malformed("text between attachments")
	}
	p, err := parsePacket(s)
	if err != nil {
		return nil, err
	}
	if p.missing > 0 {
		d.partial, d.text = p, s
		return nil, nil
	}
	return p, p.settle()
}

// decodeBinary takes a binary message, and returns the packet that it completes.
func (d *decoder) decodeBinary(b []byte) (*packet, error) {
	p := d.partial
	if p == nil {
		return nil, malformed("attachment without a packet")
	}
	p.attachments = append(p.attachments, b)
	if p.missing--; p.missing > 0 {
		return nil, nil
	}
	d.partial, d.text = nil, ""
	return p, p.settle()
}

func parsePacket(s string) (*packet, error) {
	if s == "" || s[0] < '0' || s[0] > '6' {
		return nil, malformed("unknown type")
	}
	p := &packet{typ: packetType(s[0] - '0'), nsp: "/", id: noID}
	rest := s[1:]
	if p.typ == packetBinaryEvent || p.typ == packetBinaryAck {
		count, after, ok := strings.Cut(rest, "-")
		n, err := strconv.ParseUint(count, 10, 16)
		switch {
		case !ok || err != nil:
			return nil, malformed("illegal attachments")
		case n > maxAttachments:
			return nil, malformed("too many attachments")
		}
		p.missing, rest = int(n), after
	}
	if strings.HasPrefix(rest, "/") {
		p.nsp, rest, _ = strings.Cut(rest, ",")
	}
	if n := digits(rest); n > 0 {
		id, err := strconv.ParseInt(rest[:n], 10, 64)
		if err != nil {
			return nil, malformed("ack id")
		}
		p.id, rest = id, rest[n:]
	}
	return p, p.parsePayload(rest)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (p *packet) parsePayload(s string) error {
	data := []byte(s)
	switch p.typ {
	case packetConnect:
		if s == "" {
			return nil
		}
		if s[0] != '{' || !json.Valid(data) {
			return malformed("payload of a connect is not an object")
		}
		p.auth = data
	case packetDisconnect:
		if s != "" {
			return malformed("disconnect with a payload")
		}
	case packetConnectError:
		return malformed("connect error from a client")
	case packetEvent, packetBinaryEvent, packetAck, packetBinaryAck:
		if s == "" || s[0] != '[' || !json.Valid(data) {
			return malformed("payload is not an array")
		}
		p.args = splitArray(data)
		if p.typ == packetAck || p.typ == packetBinaryAck {
			if p.id == noID {
				return malformed("ack without an id")
			}
			return nil
		}
		return p.parseName()
	}
	return nil
}

// splitArray returns the elements of a valid JSON array. They share its memory.
func splitArray(data []byte) []json.RawMessage {
	out := make([]json.RawMessage, 0, 4)
	depth, start := 0, 1
	add := func(end int) {
		if e := bytes.TrimSpace(data[start:end]); len(e) > 0 {
			out = append(out, e)
		}
		start = end + 1
	}
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				add(i)
				return out
			}
		case ',':
			if depth == 1 {
				add(i)
			}
		}
	}
	return out
}

// parseName reads the name of an event: a string, or a number, which becomes one.
func (p *packet) parseName() error {
	if len(p.args) == 0 {
		return malformed("event without a name")
	}
	first := p.args[0]
	switch c := first[0]; {
	case c == '"':
		if plain := first[1 : len(first)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			p.name = string(plain)
		} else if json.Unmarshal(first, &p.name) != nil {
			return malformed("name of an event")
		}
		if slices.Contains(reserved, p.name) {
			return malformed("reserved event name")
		}
	case c == '-' || c >= '0' && c <= '9':
		p.name = string(first)
	default:
		return malformed("event without a name")
	}
	return nil
}

// placeholder is where an attachment belongs, in its one canonical form. It
// cannot occur within a JSON string, whose quotes are escaped.
var placeholder = regexp.MustCompile(`\{"_placeholder":true,"num":(0|[1-9][0-9]*)\}`)

func appendPlaceholder(b []byte, n int) []byte {
	b = append(b, `{"_placeholder":true,"num":`...)
	return append(strconv.AppendInt(b, int64(n), 10), '}')
}

// settle checks the placeholders of a complete packet and brings them into canonical form.
func (p *packet) settle() error {
	if p.typ != packetBinaryEvent && p.typ != packetBinaryAck {
		return nil
	}
	for n, raw := range p.args {
		if !bytes.Contains(raw, []byte(`_placeholder`)) && !bytes.ContainsRune(raw, '\\') {
			continue
		}
		var tree any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return malformed("arguments")
		}
		found, err := p.checkPlaceholders(tree)
		if err != nil {
			return err
		}
		if found != len(placeholder.FindAllIndex(raw, -1)) {
			if p.args[n], err = marshal(tree); err != nil {
				return malformed("arguments")
			}
		}
	}
	return nil
}

// checkPlaceholders counts the placeholders in a decoded value, reduces each to its two fields, and
// fails if one names no attachment.
func (p *packet) checkPlaceholders(v any) (int, error) {
	found := 0
	add := func(v any) error {
		n, err := p.checkPlaceholders(v)
		found += n
		return err
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := add(e); err != nil {
				return 0, err
			}
		}
	case map[string]any:
		if v["_placeholder"] == true {
			num, _ := v["num"].(json.Number)
			n, err := strconv.ParseFloat(string(num), 64)
			if err != nil || n < 0 || n >= float64(len(p.attachments)) || n != float64(int(n)) {
				return 0, malformed("illegal attachments")
			}
			clear(v)
			v["_placeholder"], v["num"] = true, int(n)
			return 1, nil
		}
		for _, e := range v {
			if err := add(e); err != nil {
				return 0, err
			}
		}
	}
	return found, nil
}

// values are the arguments behind an event's name, or those of an ack.
func (p *packet) values() []Value {
	args := p.args
	if p.typ == packetEvent || p.typ == packetBinaryEvent {
		args = args[1:]
	}
	out := make([]Value, len(args))
	for n, raw := range args {
		out[n] = Value{raw: raw, attachments: p.attachments}
	}
	return out
}
