//go:build unix

package devserver

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/devserver/internal/console"
	"github.com/goparty-dev/party/internal/platform"
	"github.com/goparty-dev/party/runtime/storage"
)

func TestTrafficLines(t *testing.T) {
	var out bytes.Buffer
	tr := newTraffic(console.New(&out))
	room := storage.Room{Party: "chat", Name: "lob\x1bby"}
	tr.request(platform.RequestInfo{Method: "GET", Path: "/parties/chat/a?token=secret", Status: 200, Duration: 12 * time.Millisecond})
	tr.request(platform.RequestInfo{Method: "GET", Path: "/parties/chat/a", Status: 101})
	tr.joined(platform.SessionInfo{Room: room, Conn: "ada", Count: 1})
	tr.left(platform.SessionInfo{Room: room, Conn: "ada", Code: 1001, Reason: "going away"})
	stop := make(chan struct{})
	close(stop)
	tr.run(stop)
	want := "GET /parties/chat/a 200 12 ms\n" +
		"chat/lob?by +ada 1 connected\n" +
		"chat/lob?by -ada 1001 going away, 0 connected\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTrafficNeverWaits(t *testing.T) {
	var out bytes.Buffer
	tr := newTraffic(console.New(&out))
	extra := 5
	for range cap(tr.lines) + extra {
		tr.request(platform.RequestInfo{Method: "GET", Path: "/", Status: 200})
	}
	stop := make(chan struct{})
	close(stop)
	tr.run(stop)
	if got := out.String(); !strings.Contains(got, fmt.Sprintf("… %d lines of traffic left out\n", extra)) {
		t.Errorf("the lines that were left out are not counted in %d bytes", len(got))
	}
}

// Clients that talk the whole time while the code changes three times get every
// answer once and in order, on the same sockets.
func TestReloadsUnderTraffic(t *testing.T) {
	const clients, edits = 4, 3
	p := newProject(t)
	p.run(p.options())
	p.waitReload()

	stop := make(chan struct{})
	result := make(chan error, clients)
	for c := range clients {
		conn := p.dial(fmt.Sprint("room", c))
		go talk(conn, stop)
		go func() { result <- answers(conn) }()
	}
	old := "hello"
	for n := range edits {
		next := fmt.Sprint("v", n)
		p.edit("server.go", fmt.Sprintf("%q", old), fmt.Sprintf("%q", next))
		old = next
		if re := p.waitReload(); re.Sockets != clients {
			t.Errorf("reload %d kept %d sockets, want %d", n, re.Sockets, clients)
		}
	}
	close(stop)
	for range clients {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
}

// talk sends numbers until stop is closed, and then "end". A connection that
// fails is noticed by answers.
func talk(conn *websocket.Conn, stop <-chan struct{}) {
	// A steady stream rather than as much as the socket takes.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		text := fmt.Append(nil, n)
		select {
		case <-tick.C:
		case <-stop:
			text = []byte("end")
		}
		if conn.WriteMessage(websocket.TextMessage, text) != nil || string(text) == "end" {
			return
		}
	}
}

// answers reads until "end" is answered: "v1 17 17" is the answer to 17.
func answers(conn *websocket.Conn) error {
	for want := 1; ; want++ {
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return err
		}
		_, data, err := conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("answer %d: %w", want, err)
		}
		_, numbers, _ := strings.Cut(string(data), " ")
		switch numbers {
		case fmt.Sprintf("%d %d", want, want):
		case fmt.Sprintf("end %d", want):
			return nil
		default:
			return fmt.Errorf("answer %q, want number %d", data, want)
		}
	}
}
