package server_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
)

// readers counts the goroutines that read from a session's socket.
func readers() int {
	all := make([]byte, 8<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "platform.(*session).read(")
}

// TestParked: the sockets of a room that sleeps have no goroutine, and nobody notices.
func TestParked(t *testing.T) {
	closed := make(chan party.CloseEvent, 100)
	room := script{
		connect: nop,
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			if msg.Text() == "close others" {
				for o := range r.Connections() {
					if o != c {
						o.Close(4000, "asked for")
					}
				}
				return nil
			}
			return r.Broadcast(party.Text(c.ID() + " " + msg.Text()))
		},
		close: func(_ context.Context, _ *scripted, _ *party.Conn, ev party.CloseEvent) { closed <- ev },
	}
	p, hs := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{IdleAfter: 20 * time.Millisecond}, room.define("chat", party.AsHibernating())))
	before := readers()
	const n = 20
	var all []*client
	for i := range n {
		all = append(all, dial(t, hs, fmt.Sprintf("/party/x?_pk=c%d", i)))
	}
	parked := func() bool { return readers() == before }
	until(t, "all sockets are parked", parked)

	// One speaks, and all hear it.
	for round := range 3 {
		all[round].say("hello")
		for _, c := range all {
			c.want(fmt.Sprintf("c%d hello", round))
		}
		until(t, "all sockets are parked again", parked)
	}
	// A message that comes in pieces.
	raw := all[3].NetConn()
	frame := maskedFrame(0x81, "in pieces")
	for _, b := range frame[:len(frame)-1] {
		if _, err := raw.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "somebody reads it", func() bool { return readers() > before })
	if _, err := raw.Write(frame[len(frame)-1:]); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		c.want("c3 in pieces")
	}
	until(t, "all sockets are parked again", parked)
	// A ping is answered, and keeps nothing awake.
	ponged := make(chan string, 1)
	all[4].SetPongHandler(func(text string) error { ponged <- text; return nil })
	if err := all[4].WriteControl(websocket.PingMessage, []byte("p"), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	go all[4].ReadMessage() // which the pong does not end
	if got := within(t, ponged, "pong"); got != "p" {
		t.Errorf("got pong %q", got)
	}
	until(t, "all sockets are parked again", parked)

	// The ends: by the client, in good order and not, and by the room.
	all[5].leave(4001, "bye")
	if ev := within(t, closed, "OnClose"); ev.Code != 4001 || !ev.Clean {
		t.Errorf("a close frame: got %+v", ev)
	}
	all[6].NetConn().Close()
	if ev := within(t, closed, "OnClose"); ev.Code != 1006 || ev.Clean {
		t.Errorf("an abrupt loss: got %+v", ev)
	}
	until(t, "all sockets are parked again", parked)
	all[0].say("close others")
	for i, c := range all[1:4] {
		if c.wantClose(4000, "asked for"); t.Failed() {
			t.Fatalf("client %d", i+1)
		}
	}
}

func nop(context.Context, *scripted, *party.Conn, *http.Request) error { return nil }

// TestParkedThroughReload: the code changes while all sockets are parked.
func TestParkedThroughReload(t *testing.T) {
	p, hs := serve(t, platform.Options{})
	next := func(gen int) {
		room := script{connect: nop, message: func(_ context.Context, _ *scripted, c *party.Conn, msg party.Message) error {
			return c.Send(party.Text(fmt.Sprint(msg.Text(), " by ", gen)))
		}}
		within(t, p.SetHost(host(t, party.HostOptions{IdleAfter: 10 * time.Millisecond}, room.define("chat", party.AsHibernating()))), "hand-over")
	}
	next(0)
	before := readers()
	var all []*client
	for i := range 10 {
		all = append(all, dial(t, hs, fmt.Sprintf("/party/x%d", i%3)))
	}
	for gen := 1; gen <= 5; gen++ {
		until(t, "all sockets are parked", func() bool { return readers() == before })
		next(gen)
		for _, c := range all {
			c.say("who")
		}
		for _, c := range all {
			c.want(fmt.Sprint("who by ", gen))
		}
	}
}

// TestParkedShutdown: sockets that nobody reads are closed like all others.
func TestParkedShutdown(t *testing.T) {
	p, hs := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{IdleAfter: 10 * time.Millisecond}, script{connect: nop}.define("chat", party.AsHibernating())))
	before := readers()
	answering, silent := dial(t, hs, "/party/x"), dial(t, hs, "/party/x")
	until(t, "all sockets are parked", func() bool { return readers() == before })
	go func() {
		answering.ReadMessage() // gorilla answers the close frame
		answering.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_ = p.Shutdown(ctx) // the silent one has its time
	silent.wantClose(1012, "server is shutting down")
	until(t, "the silent one is gone", func() bool {
		var out strings.Builder
		return p.WriteMetrics(&out) == nil && strings.Contains(out.String(), "party_connections{party=\"chat\"} 0\n")
	})
}
