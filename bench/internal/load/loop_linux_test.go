package load

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// echoServer greets each socket and sends back what it gets; "bye" closes.
func echoServer(t *testing.T) netip.AddrPort {
	t.Helper()
	up := websocket.Upgrader{}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			io.WriteString(w, r.URL.Path)
			return
		}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		ws.WriteMessage(websocket.TextMessage, []byte("hello"))
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if string(data) == "bye" {
				ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "bye"))
				return
			}
			ws.WriteMessage(kind, data)
		}
	}))
	t.Cleanup(hs.Close)
	return hs.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func newLoop(t *testing.T, split Splitter) *Loop {
	t.Helper()
	l, err := NewLoop(split)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

func TestLoopEcho(t *testing.T) {
	addr := echoServer(t)
	l := newLoop(t, SplitFrame)
	const conns, rounds = 5, 20
	for range conns {
		c, err := DialWebSocket(addr, "/x")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	want := make([]string, conns)
	for n := range want {
		want[n] = "hello"
	}
	done := 0
	err := l.Run(time.Now().Add(10*time.Second), func(c *Conn, m []byte) error {
		if string(m) != want[c.N] {
			t.Errorf("connection %d got %d bytes, want %d", c.N, len(m), len(want[c.N]))
		}
		if c.Next++; c.Next > rounds {
			if done++; done == conns {
				return ErrStop
			}
			return nil
		}
		want[c.N] = strings.Repeat(string(rune('a'+c.N)), 1<<c.Next>>3) // over what one read takes
		return c.Send(AppendText(nil, want[c.N]))
	})
	if err != nil || done != conns {
		t.Errorf("Run: %v, %d connections done, want nil, %d", err, done, conns)
	}
}

func TestLoopClosed(t *testing.T) {
	c, err := DialWebSocket(echoServer(t), "/x")
	if err != nil {
		t.Fatal(err)
	}
	l := newLoop(t, SplitFrame)
	if err := errors.Join(l.Add(c), c.Send(AppendText(nil, "bye"))); err != nil {
		t.Fatal(err)
	}
	err = l.Run(time.Now().Add(10*time.Second), func(*Conn, []byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `server closed with 1000 "bye"`) {
		t.Errorf("Run: %v, want the server's close", err)
	}
}

func TestLoopHTTP(t *testing.T) {
	c, err := Dial(echoServer(t))
	if err != nil {
		t.Fatal(err)
	}
	l := newLoop(t, SplitResponse)
	if err := errors.Join(l.Add(c), c.Send(AppendGet(AppendGet(nil, "/first"), "/second"))); err != nil {
		t.Fatal(err)
	}
	var got []string
	err = l.Run(time.Now().Add(10*time.Second), func(_ *Conn, m []byte) error {
		if got = append(got, string(m)); len(got) == 2 {
			return ErrStop
		}
		return nil
	})
	if err != nil || strings.Join(got, " ") != "/first /second" {
		t.Errorf("Run: %q, %v, want both bodies", got, err)
	}
}

func TestUpgradeRefused(t *testing.T) {
	hs := httptest.NewServer(http.NotFoundHandler())
	defer hs.Close()
	_, err := DialWebSocket(hs.Listener.Addr().(*net.TCPAddr).AddrPort(), "/x")
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("DialWebSocket: %v, want the 404", err)
	}
}
