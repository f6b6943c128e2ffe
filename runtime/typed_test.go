package party_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

type say struct {
	Text string `json:"text"`
	N    int    `json:"n,omitempty"`
}

// talker takes typed frames; with others it also has an OnMessage.
type talker struct{ party.Room }

func (t *talker) Say(ctx context.Context, conn *party.Conn, m say) error {
	if m.Text == "fail" {
		return errors.New("asked to")
	}
	return conn.Send(party.Event("said", m))
}

func (t *talker) OnError(ctx context.Context, conn *party.Conn, err error) {
	conn.Send(party.Text("error: " + err.Error()))
}

// others adds OnMessage.
type others struct{}

func (others) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(party.Text("other: " + msg.Text()))
}

func talkers(other party.Messenger) *party.App {
	return partytest.Rooms(party.Definition{
		Name: "talker",
		New: func() party.Instance {
			v := new(talker)
			return party.Instance{Room: &v.Room, Value: v, Error: v, Message: other}
		},
		Messages: []party.TypedMessage{{Type: "say", Func: func(ctx context.Context, v any, conn *party.Conn, msg party.Message) error {
			var m say
			if err := msg.Typed(&m); err != nil {
				return err
			}
			return v.(*talker).Say(ctx, conn, m)
		}}},
	})
}

func TestTypedMessages(t *testing.T) {
	for _, c := range []struct {
		name, send string
		want       string // with an OnMessage; empty: the frame goes there
		without    string
	}{
		{"typed", `{"type":"say","text":"hi"}`, `{"type":"said","text":"hi"}`, ""},
		{"in another order", ` {"n": 3, "text": "hi", "type": "say"}`, `{"type":"said","text":"hi","n":3}`, ""},
		{"with an escape", `{"type":"s\u0061y","text":"hi"}`, `{"type":"said","text":"hi"}`, ""},
		{"that fails", `{"type":"say","text":"fail"}`, `error: asked to`, ""},
		{"of another type", `{"type":"shout"}`, "", `{"type":"error","code":"unknown-type","of":"shout","message":"there is no message of type \"shout\""}`},
		{"not what the method takes", `{"type":"say","text":1}`, "", `{"type":"error","code":"bad-message","of":"say","message":"`},
		{"cut short", `{"type":"say","text":"h`, "", `{"type":"error","code":"bad-message","of":"say","message":"`},
		{"without a type", `{"text":"hi"}`, "", `{"type":"error","code":"bad-frame","of":"","message":"want a JSON object with a type"}`},
		{"a type that is no string", `{"type":1}`, "", `{"type":"error","code":"bad-frame"`},
		{"no object", `"say"`, "", `{"type":"error","code":"bad-frame"`},
		{"not JSON", `hello`, "", `{"type":"error","code":"bad-frame"`},
		{"nothing", ``, "", `{"type":"error","code":"bad-frame"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, other := range []party.Messenger{nil, others{}} {
				want := c.want
				switch {
				case want == "" && other == nil:
					want = c.without
				case want == "":
					want = "other: " + c.send
				}
				client := partytest.New(t, talkers(other), quiet()).Connect("/party/a")
				client.Say(c.send)
				if got := client.Next().Text(); !strings.HasPrefix(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

func TestTypedMessageBinary(t *testing.T) {
	client := partytest.New(t, talkers(nil)).Connect("/party/a")
	client.Send(party.Binary([]byte(`{"type":"say","text":"hi"}`)))
	if got := client.Next().Text(); !strings.Contains(got, "bad-frame") {
		t.Errorf("got %s, want bad-frame", got)
	}
}

func TestEvent(t *testing.T) {
	for _, c := range []struct {
		name, want string
		v          any
	}{
		{"fields", `{"type":"a\"b","text":"x"}`, say{Text: "x"}},
		{"none", `{"type":"a\"b"}`, struct{}{}},
	} {
		if got := party.Event(`a"b`, c.v).Text(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	in := new(sender)
	partytest.New(t, partytest.Rooms(party.Definition{Name: "sender", New: func() party.Instance {
		return party.Instance{Room: &in.Room, Connect: in}
	}})).Connect("/party/a")
	for _, err := range in.errs {
		if err == nil {
			t.Error("an event that is no object was sent")
		}
	}
}

// sender sends what is no event.
type sender struct {
	party.Room
	errs []error
}

func (s *sender) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	for _, v := range []any{1, []int{1}, nil, func() {}} {
		s.errs = append(s.errs, conn.Send(party.Event("a", v)))
	}
	return nil
}

func FuzzTypedFrame(f *testing.F) {
	for _, s := range []string{`{"type":"say"}`, ` {"a":{"type":"b"},"type":"say"}`, `{"type":"`, `{"type":"\u0000"}`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, frame string) {
		if !utf8.ValidString(frame) {
			return
		}
		c := partytest.New(t, talkers(nil), quiet()).Connect("/party/a")
		c.Say(frame)
		var answer struct{ Type string }
		if err := c.Next().Decode(&answer); err != nil || answer.Type != "error" && answer.Type != "said" {
			t.Errorf("%q was answered with %+v, %v", frame, answer, err)
		}
	})
}
