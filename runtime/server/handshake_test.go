package server_test

import (
	"bufio"
	"context"
	"errors"
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

// TestUpgradeInAnyCase speaks as clients do that write the headers differently, to a room that refuses too.
func TestUpgradeInAnyCase(t *testing.T) {
	hs := start(t, quiet(), server.Rooms(script{connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
		if r.Name() == "closed" {
			return errors.New("no")
		}
		return c.Send(party.Text("in"))
	}}.define("chat")))
	for _, upgrade := range []string{"websocket", "WebSocket", "WEBSOCKET"} {
		for _, connection := range []string{"Upgrade", "keep-alive, upgrade"} {
			for room, frame := range map[string]string{"open": "\x81\x02in", "closed": "\x88\x04\x03\xf3no"} {
				conn, err := net.Dial("tcp", hs.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(patience))
				fmt.Fprintf(conn, "GET /party/%s HTTP/1.1\r\nHost: x\r\nConnection: %s\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
					room, connection, upgrade)
				br := bufio.NewReader(conn)
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatalf("%s: %v", upgrade, err)
				}
				if resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
					t.Errorf("%s, %s: got %s %v, want 101", upgrade, connection, resp.Status, resp.Header)
					continue
				}
				got := make([]byte, len(frame))
				if _, err := io.ReadFull(br, got); string(got) != frame {
					t.Errorf("%s, room %s: got frame %q, %v, want %q", upgrade, room, got, err, frame)
				}
			}
		}
	}
}

// TestLetInWhenReady sends the 101 after OnStart, ConnectionTags and OnConnect, and what they sent at once behind it.
func TestLetInWhenReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		step := make(chan string)
		wait := func(want string) error {
			if got := <-step; got != want {
				return fmt.Errorf("%s ran when %s was due", want, got)
			}
			return nil
		}
		p := bubble(t, server.Rooms(script{
			start: func(context.Context, *scripted) error { return wait("OnStart") },
			tags: func(context.Context, *scripted, *party.Conn, *http.Request) ([]string, error) {
				return []string{"tagged"}, wait("ConnectionTags")
			},
			connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
				for range r.Connections("tagged") {
					r.n++
				}
				return errors.Join(c.Send(party.Text("first")), wait("OnConnect"), c.Send(party.Text(fmt.Sprint(r.n))))
			},
		}.define("chat")))
		in := make(chan *reader, 1)
		go func() {
			c, err := p.dial("/party/x")
			if err != nil {
				t.Error(err)
			}
			in <- c
		}()
		for _, name := range []string{"OnStart", "ConnectionTags", "OnConnect"} {
			if c, ok := arrived(in); ok {
				t.Fatalf("let in before %s: %v", name, c)
			}
			step <- name
		}
		c, ok := arrived(in)
		if !ok {
			t.Fatal("not let in")
		}
		synctest.Wait()
		if got := c.take(); got != "first 1" {
			t.Errorf("got %q, want what OnConnect sent", got)
		}
	})
}

// TestCompressionIsDeclined answers what every browser offers.
func TestCompressionIsDeclined(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	d := websocket.Dialer{EnableCompression: true}
	ws, resp, err := d.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+"/party/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t, ws}
	t.Cleanup(func() { ws.Close() })
	if got, ok := resp.Header["Sec-Websocket-Extensions"]; ok {
		t.Errorf("agreed to %q", got)
	}
	ws.SetReadDeadline(time.Now().Add(patience))
	long := strings.Repeat("compressible ", 1000)
	c.say(long)
	c.want(long)
}
