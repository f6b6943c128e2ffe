package server_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// closings is a room that tells how its connections ended, and closes them when they ask for it.
func closings(events chan<- string) script {
	return script{
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			var code int
			var reason string
			if n, _ := fmt.Sscanf(msg.Text(), "close %d %s", &code, &reason); n > 0 {
				return c.Close(code, reason)
			}
			return c.Send(msg)
		},
		close: func(_ context.Context, r *scripted, c *party.Conn, ev party.CloseEvent) {
			if _, ok := r.Connection(c.ID()); ok {
				events <- "still listed"
			}
			events <- fmt.Sprintf("%d %q %v", ev.Code, ev.Reason, ev.Clean)
		},
		request: counting,
	}
}

func TestPeerCloses(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	for _, test := range []struct {
		name  string
		frame []byte
		code  int // that comes back
		event string
	}{
		{"with code and reason", websocket.FormatCloseMessage(4001, "bye"), 4001, `4001 "bye" true`},
		{"with code", websocket.FormatCloseMessage(1000, ""), 1000, `1000 "" true`},
		{"going away", websocket.FormatCloseMessage(1001, ""), 1001, `1001 "" true`},
		{"empty", nil, 1005, `1005 "" true`},
		{"with the longest reason", websocket.FormatCloseMessage(3000, strings.Repeat("x", 123)), 3000, `3000 "` + strings.Repeat("x", 123) + `" true`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, hs, "/party/x")
			if err := c.WriteControl(websocket.CloseMessage, test.frame, time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			reason := ""
			if len(test.frame) > 2 {
				reason = string(test.frame[2:])
			}
			c.wantClose(test.code, reason)
			if got := within(t, events, "OnClose"); got != test.event {
				t.Errorf("got OnClose %s, want %s", got, test.event)
			}
			visit(t, hs.URL+"/party/x").check(t, 200, "")
		})
	}
}

// TestEmptyCloseIsAnsweredEmpty looks at the bytes: gorilla does not tell an empty close from its absence.
func TestEmptyCloseIsAnsweredEmpty(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	c := dial(t, hs, "/party/x")
	raw := c.NetConn()
	raw.Write([]byte{0x88, 0x80, 1, 2, 3, 4})
	got, err := io.ReadAll(raw)
	if string(got) != "\x88\x00" || err != nil {
		t.Errorf("got %x, %v, want an empty close frame and the end", got, err)
	}
	if got := within(t, events, "OnClose"); got != `1005 "" true` {
		t.Errorf("got OnClose %s", got)
	}
}

func TestRoomCloses(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	for _, test := range []struct{ asked, sent int }{
		{1000, 1000}, {1001, 1001}, {1003, 1003}, {1007, 1007}, {1012, 1012}, {3000, 3000}, {4999, 4999},
		{0, 1011}, {999, 1011}, {1002, 1011}, {1004, 1011}, {1005, 1011}, {1006, 1011}, {1015, 1011}, {2000, 1011}, {5000, 1011}, {-1, 1011},
	} {
		c := dial(t, hs, "/party/x")
		c.say(fmt.Sprintf("close %d because", test.asked))
		c.wantClose(test.sent, "because")
		if got, want := within(t, events, "OnClose"), fmt.Sprintf(`%d "because" true`, test.sent); got != want {
			t.Errorf("Close(%d): got OnClose %s, want %s", test.asked, got, want)
		}
	}
}

// TestAbruptLoss shows what OnClose is told of sockets that end without a handshake.
func TestAbruptLoss(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	for name, end := range map[string]func(net.Conn){
		"closed": func(c net.Conn) { c.Close() },
		"reset":  func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
		"in the middle of a frame": func(c net.Conn) {
			c.Write([]byte{0x81, 0x85, 0, 0, 0, 0, 'h'})
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, hs, "/party/x")
			c.say("x")
			c.want("x")
			end(c.NetConn())
			if got := within(t, events, "OnClose"); got != `1006 "" false` {
				t.Errorf("got OnClose %s", got)
			}
			visit(t, hs.URL+"/party/x").check(t, 200, "")
		})
	}
}

// TestMessageLimit shows that the close frame arrives although the client is
// still sending what the server will not read.
func TestMessageLimit(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.WithLimits(server.Limits{MessageBytes: 1000}), server.Rooms(closings(events).define("chat")))
	c := dial(t, hs, "/party/x")
	fits := strings.Repeat("x", 1000)
	c.say(fits)
	c.want(fits)
	for _, size := range []int{1001, 1 << 20, 4 << 20} {
		c := dial(t, hs, "/party/x")
		go c.WriteMessage(websocket.BinaryMessage, make([]byte, size))
		c.wantClose(1009, "")
		if got := within(t, events, "OnClose"); got != `1009 "message too big" false` {
			t.Errorf("%d bytes: got OnClose %s", size, got)
		}
	}
	t.Run("in fragments", func(t *testing.T) {
		c := dial(t, hs, "/party/x")
		w, _ := c.NextWriter(websocket.BinaryMessage)
		for range 40 {
			w.Write(make([]byte, 1000)) // more than gorilla's buffer: several frames
		}
		w.Close()
		c.wantClose(1009, "")
		within(t, events, "OnClose")
	})
	c.say("and the others go on")
	c.want("and the others go on")
}

func TestDefaultMessageLimit(t *testing.T) {
	hs := start(t, server.Rooms(script{message: func(_ context.Context, _ *scripted, c *party.Conn, msg party.Message) error {
		return c.Send(party.Text(fmt.Sprint(msg.Len())))
	}}.define("chat")))
	c := dial(t, hs, "/party/x")
	c.say(strings.Repeat("x", 1<<20))
	c.want("1048576")
	go c.WriteMessage(websocket.TextMessage, make([]byte, 1<<20+1))
	c.wantClose(1009, "")
}

func TestInvalidUTF8(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	c := dial(t, hs, "/party/x")
	c.WriteMessage(websocket.BinaryMessage, []byte("\xff"))
	c.want("\xff")
	c.WriteMessage(websocket.TextMessage, []byte("ok \xff"))
	c.wantClose(1007, "text message is not valid UTF-8")
	if got := within(t, events, "OnClose"); got != `1007 "text message is not valid UTF-8" false` {
		t.Errorf("got OnClose %s", got)
	}
}

// TestProtocolError shows that a client that does not speak WebSocket is lost alone.
func TestProtocolError(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	c := dial(t, hs, "/party/x")
	c.NetConn().Write([]byte{0x81, 0x01, 'x'}) // not masked
	_, _, err := c.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseProtocolError) {
		t.Errorf("got %v, want close 1002", err)
	}
	if got := within(t, events, "OnClose"); !strings.HasPrefix(got, "100") {
		t.Errorf("got OnClose %s", got)
	}
}

// TestSlowConsumer closes the one that does not read, with 1013, and serves the other.
func TestSlowConsumer(t *testing.T) {
	events := make(chan string, 10)
	big := strings.Repeat("x", 64<<10)
	s := script{
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			return r.Broadcast(party.Text(big))
		},
		close: func(_ context.Context, _ *scripted, c *party.Conn, ev party.CloseEvent) {
			events <- c.ID()
		},
	}
	hs := start(t, quiet(), server.WithLimits(server.Limits{SendQueueBytes: 256 << 10}), server.Rooms(s.define("chat")))
	slow := dial(t, hs, "/party/x?_pk=slow")
	quick := dial(t, hs, "/party/x?_pk=quick")
	for range 300 { // more than queue and kernel hold
		quick.say("x")
		quick.want(big)
	}
	// What it had been sent is still there, then the close frame.
	for {
		_, _, err := slow.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
			t.Fatalf("got %v, want close 1013", err)
		}
		break
	}
	if got := within(t, events, "OnClose"); got != "slow" {
		t.Errorf("got OnClose of %s", got)
	}
	quick.say("x")
	quick.want(big)
}

// TestSlowConsumerLeavesAtOnce shows that the room learns of it before the socket has ended, which it
// does only some seconds later.
func TestSlowConsumerLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan string, 10)
		s := script{
			message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
				if msg.Text() == "who" {
					return c.Send(party.Text(ids(r)))
				}
				return r.Broadcast(msg, party.Except(c))
			},
			close: func(_ context.Context, r *scripted, c *party.Conn, ev party.CloseEvent) {
				closed <- fmt.Sprintf("%s %d %q %v of %s", c.ID(), ev.Code, ev.Reason, ev.Clean, ids(r))
			},
		}
		p := bubble(t, server.WithLimits(server.Limits{SendQueueBytes: 1000}), server.Rooms(s.define("chat")))
		d := websocket.Dialer{NetDialContext: p.Dial}
		slow, _, err := d.Dial("ws://pipes/party/x?_pk=slow", nil) // and never reads
		if err != nil {
			t.Fatal(err)
		}
		quick := p.mustDial("/party/x?_pk=quick")
		for range 5 {
			quick.say(t, strings.Repeat("x", 500))
		}
		quick.say(t, "who")
		if got, ok := arrived(closed); got != `slow 1013 "too slow" false of quick` {
			t.Errorf("got OnClose %q, %v", got, ok)
		}
		if got := quick.take(); got != "quick" {
			quick.say(t, "who")
			synctest.Wait()
			if got := quick.take(); got != "quick" {
				t.Errorf("listed: %q", got)
			}
		}
		slow.Close()
		synctest.Wait()
		if got, ok := arrived(closed); ok {
			t.Errorf("OnClose once more: %s", got)
		}
	})
}

// TestNothingIsHeardAfterClose drops what a client says after the room has closed it: one that was sent away
// cannot go on by not answering the close frame.
func TestNothingIsHeardAfterClose(t *testing.T) {
	heard := make(chan string, 10)
	hs := start(t, server.Rooms(script{
		message: func(_ context.Context, _ *scripted, c *party.Conn, msg party.Message) error {
			heard <- msg.Text()
			return c.Close(4000, "go away")
		},
		close: func(context.Context, *scripted, *party.Conn, party.CloseEvent) { heard <- "OnClose" },
	}.define("chat")))
	c := dial(t, hs, "/party/x")
	for _, text := range []string{"first", "second", "third"} {
		c.say(text)
	}
	c.wantClose(4000, "go away")
	for _, want := range []string{"first", "OnClose"} {
		if got := within(t, heard, want); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLargeMessage shows that one message above the queue's limit is no sign of a slow client.
func TestLargeMessage(t *testing.T) {
	big := strings.Repeat("x", 8<<20)
	hs := start(t, server.WithLimits(server.Limits{SendQueueBytes: 1000}), server.Rooms(script{
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			return c.Send(party.Text(big))
		},
	}.define("chat")))
	c := dial(t, hs, "/party/x")
	for range 2 {
		c.say("x")
		c.want(big)
	}
}

// TestPing shows that pings are answered, also between the fragments of a message.
func TestPing(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	c := dial(t, hs, "/party/x")
	pong := ""
	c.SetPongHandler(func(data string) error { pong = data; return nil })
	raw := c.NetConn()
	frame := func(head byte, payload string) {
		b := append([]byte{head, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
		if _, err := raw.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	frame(0x01, "hel")
	frame(0x89, "are you there")
	frame(0x80, "lo")
	c.want("hello")
	if pong != "are you there" {
		t.Errorf("got pong %q", pong)
	}
}

// TestReservedCodeFromPeer answers a close frame with a code that nobody may send.
func TestReservedCodeFromPeer(t *testing.T) {
	events := make(chan string, 10)
	hs := start(t, server.Rooms(closings(events).define("chat")))
	for _, code := range []uint16{1005, 1006, 1015, 999} {
		c := dial(t, hs, "/party/x")
		c.WriteControl(websocket.CloseMessage, binary.BigEndian.AppendUint16(nil, code), time.Now().Add(patience))
		_, _, err := c.ReadMessage()
		if !websocket.IsCloseError(err, websocket.CloseProtocolError) {
			t.Errorf("%d: got %v, want close 1002", code, err)
		}
		within(t, events, "OnClose")
	}
	visit(t, hs.URL+"/party/x").check(t, http.StatusOK, "")
}

// TestSilentClients cuts off who does not even answer pings, 90 to 120 s after its last sign of life, and nobody else.
func TestSilentClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan string, 10)
		p := bubble(t, server.Rooms(closings(events).define("chat")))
		listening := p.mustDial("/party/x") // says nothing, but its reader answers pings
		d := websocket.Dialer{NetDialContext: p.Dial}
		time.Sleep(10 * time.Second)
		silent, _, err := d.Dial("ws://pipes/party/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		silent.SetPingHandler(func(string) error { return nil })
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			silent.ReadMessage()
		}()
		time.Sleep(90*time.Second - time.Millisecond)
		if got, ok := arrived(events); ok {
			t.Errorf("before 90 s: got OnClose %s", got)
		}
		time.Sleep(30 * time.Second)
		if got, ok := arrived(events); got != `1006 "" false` {
			t.Errorf("after 120 s: got OnClose %q, %v", got, ok)
		}
		silent.Close()
		<-ended
		time.Sleep(time.Hour)
		if got, ok := arrived(events); ok {
			t.Errorf("of the one that answers: got OnClose %s", got)
		}
		listening.say(t, "still here")
		synctest.Wait()
		if got := listening.take(); got != "still here" {
			t.Errorf("got %q", got)
		}
	})
}
