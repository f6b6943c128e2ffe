package partytest

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/pipe"
	party "github.com/goparty-dev/party/runtime"
)

// patience is how long a client waits for what a test expects.
const patience = 10 * time.Second

// Client is one WebSocket client. Its methods fail the test when something
// else happens than what they wait for; use it from the test's goroutine.
type Client struct {
	s    *Server
	ws   *websocket.Conn
	news chan struct{} // holds a token when something arrived

	mu       sync.Mutex // guards what follows
	messages []party.Message
	end      *party.CloseEvent
}

// read receives in the background, as a browser does, so that pings are answered.
func (c *Client) read() {
	for end := false; !end; {
		kind, data, err := c.ws.ReadMessage()
		c.mu.Lock()
		var ce *websocket.CloseError
		switch {
		case err == nil && kind == websocket.BinaryMessage:
			c.messages = append(c.messages, party.Binary(data))
		case err == nil:
			c.messages = append(c.messages, party.Text(string(data)))
		case errors.As(err, &ce) && ce.Code != websocket.CloseAbnormalClosure:
			c.end = &party.CloseEvent{Code: ce.Code, Reason: ce.Text, Clean: true}
		default:
			c.end = &party.CloseEvent{Code: websocket.CloseAbnormalClosure}
		}
		end = c.end != nil
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default:
		}
	}
	c.ws.Close()
}

// wait returns the next message, or how the connection ended when there is none left.
func (c *Client) wait() (party.Message, *party.CloseEvent) {
	c.s.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		c.mu.Lock()
		if len(c.messages) > 0 {
			m := c.messages[0]
			c.messages = c.messages[1:]
			c.mu.Unlock()
			return m, nil
		}
		end := c.end
		c.mu.Unlock()
		if end != nil {
			return party.Message{}, end
		}
		select {
		case <-c.news:
		case <-timeout.C:
			c.s.t.Fatalf("partytest: nothing arrived within %v", patience)
		}
	}
}

// Connect opens a connection: Connect("/parties/chat/lobby?_pk=ada"). The test
// fails if it is refused.
func (s *Server) Connect(target string) *Client {
	s.t.Helper()
	c, resp, err := s.TryConnect(target, nil)
	if err != nil {
		status := ""
		if resp != nil {
			status = resp.Status
		}
		s.t.Fatalf("partytest: connect %s: %v %s", target, err, status)
	}
	return c
}

// TryConnect is Connect for connections that may be refused, with headers of one's own.
func (s *Server) TryConnect(target string, header http.Header) (*Client, *http.Response, error) {
	ws, resp, err := pipe.Dial(s.t.Context(), s.platform, target, header)
	if err != nil {
		return nil, resp, err
	}
	c := &Client{s: s, ws: ws, news: make(chan struct{}, 1)}
	go c.read()
	s.t.Cleanup(func() { ws.Close() })
	return c, resp, nil
}

// Send sends a message.
func (c *Client) Send(msg party.Message) {
	c.s.t.Helper()
	kind := websocket.BinaryMessage
	if msg.IsText() {
		kind = websocket.TextMessage
	}
	c.ws.SetWriteDeadline(time.Now().Add(patience))
	if err := c.ws.WriteMessage(kind, msg.Bytes()); err != nil {
		c.s.t.Fatalf("partytest: send: %v", err)
	}
}

// Say sends a text message.
func (c *Client) Say(text string) {
	c.s.t.Helper()
	c.Send(party.Text(text))
}

// Next returns the next message.
func (c *Client) Next() party.Message {
	c.s.t.Helper()
	m, end := c.wait()
	if end != nil {
		c.s.t.Fatalf("partytest: no message, the connection is closed: %+v", *end)
	}
	return m
}

// Expect fails the test unless the next message is this text.
func (c *Client) Expect(text string) {
	c.s.t.Helper()
	if got := c.Next(); !got.IsText() || got.Text() != text {
		c.s.t.Fatalf("partytest: got message %q, want %q", got.Text(), text)
	}
}

// Close closes the connection from the client's side and waits for the handshake to complete. It
// returns how the server answered.
func (c *Client) Close(code int, reason string) party.CloseEvent {
	c.s.t.Helper()
	c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience))
	return c.Closed()
}

// Break cuts the connection without a close handshake.
func (c *Client) Break() { c.ws.NetConn().Close() }

// Closed skips messages until the connection is closed, and returns how.
func (c *Client) Closed() party.CloseEvent {
	c.s.t.Helper()
	for {
		if _, end := c.wait(); end != nil {
			return *end
		}
	}
}
