package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// start serves rooms for the length of a test.
func start(t *testing.T, opts ...server.Option) *httptest.Server {
	t.Helper()
	s, err := server.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		hs.Close()
	})
	return hs
}

// client is a WebSocket client with a deadline on everything.
type client struct {
	t *testing.T
	*websocket.Conn
}

func dial(t *testing.T, hs *httptest.Server, path string) *client {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+path, nil)
	if err != nil {
		t.Fatalf("dial %s: %v (%v)", path, err, resp)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(60 * time.Second))
	return &client{t, ws}
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

func (c *client) want(text string) {
	c.t.Helper()
	_, got, err := c.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v, want %.200q", err, text)
	}
	if string(got) != text {
		c.t.Fatalf("got message %.200q, want %.200q", got, text)
	}
}

type chat struct {
	party.Room
	count int
}

func (c *chat) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	c.count++
	return c.Broadcast(party.Text(fmt.Sprintf("%s joined, %d", conn.ID(), c.count)))
}

func (c *chat) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() == "me" {
		return conn.Send(party.Text("you are " + conn.ID()))
	}
	return c.Broadcast(party.Text(conn.ID()+": "+msg.Text()), party.Except(conn))
}

func (c *chat) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	c.Broadcast(party.Text(fmt.Sprintf("%s left %d %s %v", conn.ID(), ev.Code, ev.Reason, ev.Clean)))
}

func TestChat(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[chat]("chat")))
	a := dial(t, hs, "/parties/chat/lobby?_pk=ada")
	a.want("ada joined, 1")
	b := dial(t, hs, "/party/lobby?_pk=bob")
	a.want("bob joined, 2")
	b.want("bob joined, 2")
	a.say("hello")
	b.want("ada: hello")
	b.say("me")
	b.want("you are bob")
	b.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "done"), time.Now().Add(time.Second))
	a.want("bob left 4001 done true")
	if _, _, err := b.ReadMessage(); !websocket.IsCloseError(err, 4001) {
		t.Errorf("after closing: %v, want close 4001 echoed", err)
	}
}
