package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/runtime/server"
)

// start serves the app; stop ends it, so that a data folder can be used again.
func start(t *testing.T, opts ...server.Option) (url string, stop func()) {
	t.Helper()
	s, err := server.New(append(opts, server.App(&partyApp))...)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(s)
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		hs.Close()
	}
	t.Cleanup(stop)
	return "ws" + strings.TrimPrefix(hs.URL, "http"), stop
}

type client struct {
	t *testing.T
	*websocket.Conn
}

func join(t *testing.T, url, room, id, name string) *client {
	t.Helper()
	url += fmt.Sprintf("/parties/chat/%s?_pk=%s&name=%s", room, id, name)
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	return &client{t, ws}
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("say %.20q: %v", text, err)
	}
}

// next returns the next frame, which must be of this type.
func (c *client) next(kind string) Frame {
	c.t.Helper()
	var f Frame
	if err := c.ReadJSON(&f); err != nil {
		c.t.Fatalf("read a %s frame: %v", kind, err)
	}
	if f.Type != kind {
		c.t.Fatalf("got frame %+v, want type %q", f, kind)
	}
	return f
}

func (c *client) wantLine(name, text string) {
	c.t.Helper()
	f := c.next("line")
	if f.Line.Name != name || f.Line.Text != text {
		c.t.Errorf("got line %q by %q, want %q by %q", f.Line.Text, f.Line.Name, text, name)
	}
}

func (c *client) leave() {
	c.t.Helper()
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(5*time.Second)); err != nil {
		c.t.Fatalf("leave: %v", err)
	}
}

func texts(lines []Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return out
}

func TestTalk(t *testing.T) {
	url, _ := start(t)
	ada := join(t, url, "lobby", "a", "Ada")
	if diff := cmp.Diff(ada.next("welcome"), Frame{Type: "welcome", People: []Person{{ID: "a", Name: "Ada"}}}); diff != "" {
		t.Errorf("Ada's welcome (-got +want):\n%s", diff)
	}
	bob := join(t, url, "lobby", "b", "Bob")
	bob.next("welcome")
	if got, want := *ada.next("joined").Person, (Person{ID: "b", Name: "Bob"}); got != want {
		t.Errorf("Ada sees %+v join, want %+v", got, want)
	}

	ada.say("hello")
	ada.wantLine("Ada", "hello")
	bob.wantLine("Ada", "hello")
	bob.say("  hi  ")
	ada.wantLine("Bob", "hi")

	bob.leave()
	if got := ada.next("left").Person.ID; got != "b" {
		t.Errorf("Ada sees %q leave, want b", got)
	}
}

func TestRoomsAreSeparate(t *testing.T) {
	url, _ := start(t)
	ada := join(t, url, "kitchen", "a", "Ada")
	ada.next("welcome")
	bob := join(t, url, "garden", "b", "Bob")
	bob.next("welcome")
	bob.say("anybody?")
	bob.wantLine("Bob", "anybody?")
	ada.say("dinner")
	ada.wantLine("Ada", "dinner") // nothing of the garden's before it
}

// A client that reconnects before its old socket is gone has not left.
func TestReconnect(t *testing.T) {
	url, _ := start(t)
	ada := join(t, url, "lobby", "a", "Ada")
	ada.next("welcome")
	old := join(t, url, "lobby", "b", "Bob")
	old.next("welcome")
	ada.next("joined")
	again := join(t, url, "lobby", "b", "Bob")
	if got := len(again.next("welcome").People); got != 2 {
		t.Errorf("%d people after Bob came back, want 2", got)
	}
	ada.next("joined")
	old.leave()
	for {
		if _, _, err := old.ReadMessage(); err != nil {
			break // the server has seen the end
		}
	}
	again.say("still here")
	ada.wantLine("Bob", "still here") // and no "left" before it
}

func TestRefusesLongLines(t *testing.T) {
	url, _ := start(t)
	ada := join(t, url, "lobby", "a", "Ada")
	ada.next("welcome")
	ada.say(strings.Repeat("x", maxTextBytes+1))
	if got := ada.next("refused").Reason; !strings.Contains(got, fmt.Sprint(maxTextBytes)) {
		t.Errorf("reason %q does not name the limit", got)
	}
	ada.say("   ") // ignored
	ada.say(strings.Repeat("y", maxTextBytes))
	ada.wantLine("Ada", strings.Repeat("y", maxTextBytes))
}

func TestRemembersTheLastHundred(t *testing.T) {
	dir := t.TempDir()
	url, stop := start(t, server.Data(dir))
	ada := join(t, url, "lobby", "a", "Ada")
	ada.next("welcome")
	var want []string
	for n := range maxLines + 5 {
		text := fmt.Sprint("line ", n)
		ada.say(text)
		ada.wantLine("Ada", text)
		want = append(want, text)
	}
	want = want[5:]

	bob := join(t, url, "lobby", "b", "Bob")
	if diff := cmp.Diff(texts(bob.next("welcome").Lines), want); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
	stop()
	url, _ = start(t, server.Data(dir))
	bob = join(t, url, "lobby", "b", "Bob")
	if diff := cmp.Diff(texts(bob.next("welcome").Lines), want); diff != "" {
		t.Errorf("lines after a restart (-got +want):\n%s", diff)
	}
	bob.say("more")
	if got, want := bob.next("line").Line.Number, uint64(maxLines+5); got != want {
		t.Errorf("number of the next line = %d, want %d", got, want)
	}
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("é", maxNameRunes)
	tests := map[string]string{"": "somebody", " Ada \n Lovelace ": "Ada Lovelace", "\xff": "somebody", long + "é": long}
	for in, want := range tests {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
}
