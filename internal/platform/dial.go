package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/pipe"
	"github.com/goparty-dev/party/runtime/storage"
)

// dial opens a socket to a room from inside: no hooks, and the room's own URL with
// the request's path and query behind it.
func (p *Platform) dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	header := make(http.Header)
	for k, v := range r.Header {
		if !strings.HasPrefix(k, "Sec-Websocket-") && k != "Upgrade" && k != "Connection" {
			header[k] = v
		}
	}
	enter := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.forward(w, r, target) })
	ws, resp, err := pipe.Dial(bare{ctx}, enter, p.roomURL(target, r).RequestURI(), header)
	switch {
	case errors.Is(err, websocket.ErrBadHandshake):
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return nil, fmt.Errorf("dial room %s: it answered %s: %s", target, resp.Status, strings.TrimSpace(string(text)))
	case err != nil:
		return nil, fmt.Errorf("dial room %s: %w", target, err)
	}
	s := &inner{ws: ws, messages: make(chan innerMessage), ended: make(chan struct{}), stop: make(chan struct{})}
	p.background.Go(func() {
		defer context.AfterFunc(p.ctx, func() { ws.Close() })()
		s.read()
	})
	return s, nil
}

// inner is the caller's end of a socket to a room in this process.
type inner struct {
	ws       *websocket.Conn
	messages chan innerMessage
	ended    chan struct{} // closed with how
	how      link.SocketClosed
	stop     chan struct{} // closed by Close: nobody receives any more
	once     sync.Once

	writing sync.Mutex // gorilla wants one writer at a time
}

type innerMessage struct {
	data   string
	binary bool
}

// read receives even while nobody asks, one message ahead, so that pings and
// close frames are answered.
func (s *inner) read() {
	defer s.ws.Close()
	defer close(s.ended)
	for {
		kind, data, err := s.ws.ReadMessage()
		var ce *websocket.CloseError
		switch {
		case errors.As(err, &ce):
			s.how = link.SocketClosed{Code: ce.Code, Reason: ce.Text}
			return
		case err != nil:
			s.how = link.SocketClosed{Code: websocket.CloseAbnormalClosure, Reason: "the connection broke"}
			return
		}
		select {
		case s.messages <- innerMessage{string(data), kind == websocket.BinaryMessage}:
		case <-s.stop: // what is in flight is dropped; the close frame's answer is still to come
		}
	}
}

// Send implements link.Socket.
func (s *inner) Send(data string, binary bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	select {
	case <-s.ended:
		return &s.how
	default:
	}
	return s.ws.WriteMessage(opcode(binary), []byte(data))
}

// Receive implements link.Socket.
func (s *inner) Receive(ctx context.Context) (string, bool, error) {
	select {
	case m := <-s.messages:
		return m.data, m.binary, nil
	case <-s.ended:
		return "", false, &s.how
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
}

// Close implements link.Socket.
func (s *inner) Close(code int, reason string) error {
	s.once.Do(func() {
		close(s.stop)
		s.ws.WriteControl(websocket.CloseMessage, closePayload(code, reason), time.Now().Add(closeWait))
		time.AfterFunc(closeWait, func() { s.ws.Close() })
	})
	return nil
}

// Dial implements link.Dialer.
func (s *seat) Dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	return s.room.p.dial(ctx, target, r)
}

// Dial implements link.Dialer.
func (l lobby) Dial(ctx context.Context, target storage.Room, r *http.Request) (link.Socket, error) {
	return l.p.dial(ctx, target, r)
}
