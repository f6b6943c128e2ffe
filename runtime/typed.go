package party

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"
)

// TypedMessage is a method of a room type that takes the text frames of one type:
// JSON objects {"type": "say", …}. Generated code makes one for each that is
// annotated with //party:message.
//
// Frames that are no such objects, that have a type no method takes, or that a method's parameter cannot
// be decoded from, go to OnMessage. Without one their sender is told by a frame
//
//	{"type": "error", "code": "…", "of": "say", "message": "…"}
//
// in which code is "bad-frame", "unknown-type" or "bad-message", in this order, of is the frame's type, empty if it has
// none, and message says more for people. An error of the method itself goes to OnError, as one of OnMessage does.
type TypedMessage struct {
	Type string
	// Func decodes the frame by Message.Typed, whose error it returns as it is, and calls the method of v, the room's value.
	Func func(ctx context.Context, v any, conn *Conn, msg Message) error
}

// frameError says what is wrong with a frame.
type frameError struct {
	code, of string
	err      error
}

func (e *frameError) Error() string { return e.err.Error() }

// Typed is Decode for the methods of a TypedMessage.
func (m Message) Typed(v any) error {
	if err := m.Decode(v); err != nil {
		return &frameError{code: "bad-message", err: err}
	}
	return nil
}

// Event makes a text message of v, which is encoded as a JSON object, with "type" as its first key.
func Event(typ string, v any) Message {
	b, err := json.Marshal(v)
	if err == nil && (len(b) < 2 || b[0] != '{') {
		err = fmt.Errorf("a %T is no JSON object", v)
	}
	if err != nil {
		return Message{err: fmt.Errorf("encode event %q: %w", typ, err)}
	}
	name, err := json.Marshal(typ)
	if err != nil {
		return Message{err: fmt.Errorf("encode event %q: %w", typ, err)}
	}
	var out strings.Builder
	out.Grow(len(b) + len(name) + len(`{"type":,`))
	out.WriteString(`{"type":`)
	out.Write(name)
	if len(b) > len("{}") {
		out.WriteByte(',')
	}
	out.Write(b[1:])
	return Message{data: out.String()}
}

// typedMessage runs the method that takes the frame. It reports whether the frame has been taken
// care of; if not, there is an OnMessage for it.
func (i *instance) typedMessage(ctx context.Context, c *Conn, msg Message) (taken bool, err error) {
	wrong := i.dispatch(ctx, c, msg, &err)
	if wrong == nil {
		return true, err
	}
	if i.hooks.Message != nil {
		return false, nil
	}
	return true, c.Send(Event("error", struct {
		Code    string `json:"code"`
		Of      string `json:"of"`
		Message string `json:"message"`
	}{wrong.code, wrong.of, wrong.Error()}))
}

// dispatch says what is wrong with a frame, or leaves in err what its method returned.
func (i *instance) dispatch(ctx context.Context, c *Conn, msg Message, err *error) *frameError {
	typ, ok := frameType(msg)
	if !ok {
		return &frameError{code: "bad-frame", err: fmt.Errorf("want a JSON object with a type")}
	}
	for n := range i.def.Messages {
		m := &i.def.Messages[n]
		if m.Type != typ {
			continue
		}
		*err = m.Func(ctx, i.hooks.Value, c, msg)
		if wrong, ok := (*err).(*frameError); ok {
			wrong.of = typ
			return wrong
		}
		return nil
	}
	return &frameError{code: "unknown-type", of: typ, err: fmt.Errorf("there is no message of type %q", typ)}
}

// frameType returns the type of a typed frame. What else is in the frame need
// not be valid.
func frameType(msg Message) (string, bool) {
	const usual = `{"type":"`
	if msg.binary {
		return "", false
	}
	if rest, ok := strings.CutPrefix(msg.data, usual); ok {
		if typ, _, ok := strings.Cut(rest, `"`); ok && typ != "" && !strings.Contains(typ, `\`) {
			return typ, true
		}
	}
	var frame struct {
		Type string `json:"type"`
	}
	// json.Unmarshal only reads its input.
	err := json.Unmarshal(unsafe.Slice(unsafe.StringData(msg.data), len(msg.data)), &frame)
	return frame.Type, err == nil && frame.Type != ""
}

// takeTyped hands a frame to the method or the callback that takes it.
func (i *instance) takeTyped(c *Conn, msg Message) {
	where := "OnMessage"
	err := i.protect(func() error {
		if taken, err := i.typedMessage(i.ctx, c, msg); taken {
			where = "message"
			return err
		}
		return i.hooks.Message.OnMessage(i.ctx, c, msg)
	})
	if err != nil {
		i.connError(where, c, err)
	}
}
