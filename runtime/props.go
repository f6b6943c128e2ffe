package party

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
)

// propsHeader carries props between rooms. The gateway strips it from what
// comes from outside, and it is removed before user code sees a request.
const propsHeader = "X-Party-Props"

// StubOption changes how a room is reached.
type StubOption func(*Stub)

// Props hands v, encoded as JSON, to the room together with the call: its
// OnStart can read it by [Room.Props], if the call is what starts the room.
// Clients cannot set props.
func Props(v any) StubOption {
	return func(s *Stub) {
		data, err := json.Marshal(v)
		if err != nil {
			s.err = fmt.Errorf("encode props: %w", err)
			return
		}
		s.props = data
	}
}

// withProps returns r, or a copy of it that carries the stub's props.
func (s *Stub) withProps(r *http.Request) *http.Request {
	if s.props == nil {
		return r
	}
	out := *r
	out.Header = r.Header.Clone()
	if out.Header == nil {
		out.Header = make(http.Header)
	}
	out.Header.Set(propsHeader, base64.StdEncoding.EncodeToString(s.props))
	return &out
}

// takeProps keeps the props of a request or a call, if it has any.
func (i *instance) takeProps(ev *link.Event) {
	if c := ev.Invocation; c != nil && c.Props != nil {
		i.props = c.Props
	}
	r := ev.Request
	if r == nil {
		return
	}
	v := r.Header.Get(propsHeader)
	if v == "" {
		return
	}
	r.Header.Del(propsHeader)
	if data, err := base64.StdEncoding.DecodeString(v); err == nil {
		i.props = data
	}
}

// Props decodes what the last caller inside has handed over with [Props] into
// v, a pointer, and reports whether there was anything. It is not kept when the room
// leaves memory: what OnStart needs again belongs in storage.
func (r *Room) Props(v any) (bool, error) {
	if len(r.i.props) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(r.i.props, v); err != nil {
		return true, fmt.Errorf("decode props: %w", err)
	}
	return true, nil
}
