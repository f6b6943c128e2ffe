package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// counting answers requests with the connections of the room.
func counting(r *scripted, w http.ResponseWriter, _ *http.Request) {
	for c := range r.Connections() {
		fmt.Fprintf(w, "%s ", c.ID())
	}
}

// TestFailingConnect lets sockets in that OnConnect refuses, closes them, and
// leaves no trace of them.
func TestFailingConnect(t *testing.T) {
	long := strings.Repeat("ü", 100)
	s := script{
		request: counting,
		connect: func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) error {
			switch req.URL.Query().Get("do") {
			case "error":
				return errors.New("go away")
			case "close error":
				return fmt.Errorf("wrapped: %w", &party.CloseError{Code: 4404, Reason: "no such thing"})
			case "reserved":
				return &party.CloseError{Code: 1006, Reason: "must not be sent"}
			case "long":
				return errors.New(long)
			case "panic":
				panic("secret")
			case "said":
				c.Send(party.Text("before"))
				return errors.New("then no")
			}
			return nil
		},
		close: func(_ context.Context, _ *scripted, c *party.Conn, _ party.CloseEvent) {
			if c.ID() != "stays" {
				t.Errorf("OnClose for %s, which was never let in", c.ID())
			}
		},
	}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	stays := dial(t, hs, "/party/x?_pk=stays")
	for _, test := range []struct {
		do     string
		code   int
		reason string
	}{
		{"error", 1011, "go away"},
		{"close+error", 4404, "no such thing"},
		{"reserved", 1011, "must not be sent"},
		{"long", 1011, strings.Repeat("ü", 61)},
		{"panic", 1011, "internal error"},
	} {
		c := dial(t, hs, "/party/x?_pk=ghost&do="+test.do)
		c.wantClose(test.code, test.reason)
		if len(test.reason) > 123 || !utf8.ValidString(test.reason) {
			t.Errorf("%s: bad reason %q", test.do, test.reason)
		}
		visit(t, hs.URL+"/party/x").check(t, 200, "stays ")
	}
	c := dial(t, hs, "/party/x?_pk=ghost&do=said")
	c.want("before")
	c.wantClose(1011, "then no")
	stays.leave(1000, "")
}

func TestTags(t *testing.T) {
	var many []string
	for n := range 10 {
		many = append(many, fmt.Sprint("t", n))
	}
	s := script{
		tags: func(_ context.Context, _ *scripted, c *party.Conn, req *http.Request) ([]string, error) {
			switch req.URL.Query().Get("do") {
			case "error":
				return nil, errors.New("no tags for you")
			case "panic":
				panic("secret")
			case "many":
				return many, nil
			case "most":
				return append([]string{c.ID()}, many[:9]...), nil
			case "long":
				return []string{strings.Repeat("x", 257)}, nil
			case "longest":
				return []string{strings.Repeat("x", 256)}, nil
			case "empty":
				return []string{""}, nil
			}
			return req.URL.Query()["tag"], nil
		},
		connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
			return c.Send(party.Text(strings.Join(c.Tags(), " ")))
		},
		request: counting,
	}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	first := dial(t, hs, "/party/x?_pk=ada&tag=b&tag=a&tag=b&tag=ada")
	first.want("ada b a")
	for _, test := range []struct{ do, want string }{
		{"most", "x " + strings.Join(many[:9], " ")},
		{"longest", "x " + strings.Repeat("x", 256)},
	} {
		c := dial(t, hs, "/party/x?_pk=x&do="+test.do)
		c.want(test.want)
		c.leave(1000, "")
	}
	for _, test := range []struct{ do, reason string }{
		{"error", "no tags for you"},
		{"panic", "internal error"},
		{"many", "a connection has 11 tags with its id, at most 10 are allowed"},
		{"long", "a connection tag has 257 bytes, at most 256 are allowed"},
		{"empty", "a connection tag is empty"},
	} {
		// In a room of its own, and in one where it could push another connection off the list.
		dial(t, hs, "/party/empty?do="+test.do).wantClose(1011, test.reason)
		dial(t, hs, "/party/x?do="+test.do).wantClose(1011, test.reason)
		visit(t, hs.URL+"/party/x").check(t, 200, "ada ")
	}
}

func TestSubprotocol(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	c, resp := dialWith(t, hs, "/party/x", "Sec-WebSocket-Protocol", "chat.v2, chat.v1")
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "chat.v2" {
		t.Errorf("got subprotocol %q, want the first one offered", got)
	}
	c.say("x")
	c.want("x")
	_, resp = dialWith(t, hs, "/party/x")
	if got, ok := resp.Header["Sec-Websocket-Protocol"]; ok {
		t.Errorf("none offered: got %q", got)
	}
}

func TestConnectionIDAndURI(t *testing.T) {
	hs := start(t, server.Rooms(script{
		connect: func(_ context.Context, _ *scripted, c *party.Conn, req *http.Request) error {
			return c.Send(party.Text(c.ID() + " " + c.URI() + " " + req.URL.RequestURI()))
		},
	}.define("chat")))
	ws := "ws" + strings.TrimPrefix(hs.URL, "http")
	for _, test := range []struct{ path, id string }{
		{"/party/x?_pk=ada", "ada"},
		{"/party/x?_pk=&_pk=bob&_pk=eve", "bob"},
		{"/party/x/sub?_pk=a%20b", "a b"},
	} {
		dial(t, hs, test.path).want(test.id + " " + ws + test.path + " " + test.path)
	}
	seen := map[string]bool{}
	for range 3 {
		c := dial(t, hs, "/party/x?_pk=")
		_, data, err := c.ReadMessage()
		id, _, _ := strings.Cut(string(data), " ")
		if err != nil || len(id) < 16 || seen[id] {
			t.Errorf("got generated id %q, %v", id, err)
		}
		seen[id] = true
	}
}

func TestTooManyConnections(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits server.Limits
	}{
		{"in all", server.Limits{Connections: 2}},
		{"in one room", server.Limits{RoomConnections: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			hs := start(t, server.WithLimits(test.limits), server.Rooms(script{message: echo}.define("chat")))
			a := dial(t, hs, "/party/x")
			dial(t, hs, "/party/x")
			got := refused(t, hs, "/party/x")
			if got.status != 503 || got.header.Get("Retry-After") == "" {
				t.Errorf("third: got %d %v, want 503 with Retry-After", got.status, got.header)
			}
			a.leave(1000, "")
			until(t, "a place is free again", func() bool {
				c, _, err := tryDial(hs, "/party/x")
				if err == nil {
					c.Close()
				}
				return err == nil
			})
		})
	}
}

// TestRefusedConnectionsLeaveNothing shows that refusals free their place.
func TestRefusedConnectionsLeaveNothing(t *testing.T) {
	hs := start(t, quiet(), server.WithLimits(server.Limits{Connections: 1}), server.Rooms(script{
		start: func(_ context.Context, r *scripted) error {
			if r.Name() == "broken" {
				return errors.New("no")
			}
			return nil
		},
		message: echo,
	}.define("chat")))
	for range 3 {
		refused(t, hs, "/party/broken").check(t, 500, "the room could not start\n")
	}
	dial(t, hs, "/party/x")
}
