package main

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/runtime/partytest"
)

func start(t *testing.T) (url string) {
	t.Helper()
	hs := httptest.NewServer(partytest.New(t, &partyApp))
	t.Cleanup(hs.Close)
	return "ws" + strings.TrimPrefix(hs.URL, "http")
}

// client speaks the protocol as public/socket.js does.
type client struct {
	t  *testing.T
	ws *websocket.Conn
	me Person
}

func dial(t *testing.T, url, name string) *client {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(url+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(60 * time.Second))
	c := &client{t: t, ws: ws}
	c.read() // open
	c.send("40")
	var connect struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.read(), "40")), &connect); err != nil {
		t.Fatalf("connect: %v", err)
	}
	c.me = Person{ID: connect.SID, Name: name}
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	_, data, err := c.ws.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return string(data)
}

func (c *client) packet(event string, payload any) string {
	c.t.Helper()
	b, err := json.Marshal([]any{event, payload})
	if err != nil {
		c.t.Fatal(err)
	}
	return "42" + string(b)
}

func (c *client) want(event string, payload any) {
	c.t.Helper()
	if got, want := c.read(), c.packet(event, payload); got != want {
		c.t.Fatalf("%s got %s, want %s", c.me.Name, got, want)
	}
}

// typesTo wants that another person sees somebody type, sooner or later: a volatile event that meets a busy socket is gone.
func (c *client) typesTo(other *client) {
	c.t.Helper()
	line := Line{From: c.me, Text: "?"}
	for range 100 {
		c.send(`42["typing",true]`)
		c.send(`42["say","?"]`)
		c.want("said", line)
		got := other.read()
		if got == c.packet("said", line) {
			continue
		}
		if want := c.packet("typed", Typing{Who: c.me, On: true}); got != want {
			c.t.Fatalf("%s got %s, want %s", other.me.Name, got, want)
		}
		other.want("said", line)
		return
	}
	c.t.Fatalf("%s never saw that %s types", other.me.Name, c.me.Name)
}

func (c *client) enter() []Person {
	c.t.Helper()
	c.send(`420["enter","` + c.me.Name + `"]`)
	var answer [][]Person
	if err := json.Unmarshal([]byte(strings.TrimPrefix(c.read(), "430")), &answer); err != nil || len(answer) != 1 {
		c.t.Fatalf("enter: got %v, %v", answer, err)
	}
	return answer[0]
}

func TestChat(t *testing.T) {
	url := start(t)
	ada := dial(t, url, "Ada")
	if here := ada.enter(); len(here) != 1 || here[0] != ada.me {
		t.Errorf("got %v, want Ada alone", here)
	}
	bob := dial(t, url, "Bob")
	if here := bob.enter(); len(here) != 2 {
		t.Errorf("got %v, want two people", here)
	}
	ada.want("entered", bob.me)
	ada.typesTo(bob)
	ada.send(`42["say","  hello "]`)
	for _, c := range []*client{ada, bob} {
		c.want("said", Line{From: ada.me, Text: "hello"})
	}
	ada.send(`42["say","   "]`)                                         // nothing
	ada.send(`42["say","` + strings.Repeat("x", maxTextBytes+1) + `"]`) // too long
	ada.send(`42["say",{"not":"text"}]`)                                // wrong type
	bob.ws.Close()
	ada.want("left", bob.me)
}

func TestStrangersAreQuiet(t *testing.T) {
	url := start(t)
	ada := dial(t, url, "Ada")
	ada.enter()
	stranger := dial(t, url, "?")
	stranger.send(`42["say","who hears me?"]`)
	stranger.ws.Close()
	bob := dial(t, url, "Bob")
	bob.enter()
	ada.want("entered", bob.me)
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{"": "somebody", "  Ada\n Lovelace ": "Ada Lovelace", "\xff": "somebody", strings.Repeat("ü", 50): strings.Repeat("ü", 40)} {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
}
