//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// maskedFrame is a frame as clients send it, with a mask of zeros.
func maskedFrame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// FuzzFrames sends bytes to a socket after its handshake, in one piece or in two, and hangs up. What the server sends must be
// frames, and afterwards there must be nothing left of the connection.
func FuzzFrames(f *testing.F) {
	const fin = 0x80
	seeds := [][]byte{
		nil,
		maskedFrame(fin|1, "hello"), maskedFrame(fin|2, "\x00\xff"), maskedFrame(fin|1, ""), maskedFrame(fin|1, "\xff"),
		maskedFrame(fin|9, "ping"), maskedFrame(fin|10, "pong"), maskedFrame(fin|9, strings.Repeat("x", 126)), maskedFrame(9, "ping"),
		maskedFrame(fin|8, ""), maskedFrame(fin|8, "\x03"), maskedFrame(fin|8, "\x03\xe8bye"), maskedFrame(fin|8, "\x03\xed"), maskedFrame(fin|8, "\x03\xe8\xff"), maskedFrame(fin|8, "\x00\x01"),
		append(maskedFrame(1, "hel"), maskedFrame(fin, "lo")...), append(maskedFrame(1, "a"), maskedFrame(fin|1, "b")...), maskedFrame(fin, "lost"),
		append(append(maskedFrame(1, "a"), maskedFrame(fin|9, "b")...), maskedFrame(fin, "c")...),
		append(maskedFrame(fin|8, "\x03\xe8"), maskedFrame(fin|1, "after")...),
		maskedFrame(fin|0x40|1, "rsv"), maskedFrame(fin|3, "reserved"), maskedFrame(fin|11, "reserved"),
		{0x81, 0x05, 'h', 'e', 'l', 'l', 'o'}, // without a mask
		{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, {0x81, 0xfe}, {0x81},
		maskedFrame(fin|1, strings.Repeat("x", 5000)), maskedFrame(fin|1, strings.Repeat("x", 70000)),
		maskedFrame(fin|1, "fail"), maskedFrame(fin|1, "panic"), maskedFrame(fin|1, "close"),
	}
	for _, s := range seeds {
		f.Add(s, uint16(0))
		f.Add(s, uint16(3))
	}

	room := script{
		connect: func(context.Context, *scripted, *party.Conn, *http.Request) error { return nil },
		message: func(_ context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			switch msg.Text() {
			case "fail":
				return io.ErrUnexpectedEOF
			case "panic":
				panic("asked for")
			case "close":
				return c.Close(4000, "asked for")
			}
			return r.Broadcast(msg)
		},
		close: func(_ context.Context, r *scripted, c *party.Conn, _ party.CloseEvent) {},
	}
	host, err := party.NewHost(&party.App{Rooms: []party.Definition{room.define("a", party.AsHibernating())}}, party.HostOptions{Logger: slog.New(slog.DiscardHandler), IdleAfter: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	o := platform.Options{Store: memory.New(), Logger: slog.New(slog.DiscardHandler)}
	o.Limits.MessageBytes = 64 << 10
	p, err := platform.New(o)
	if err != nil {
		f.Fatal(err)
	}
	p.SetHost(host)
	// Not TCP: there are not enough ports for so many connections.
	path := filepath.Join(f.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		f.Fatal(err)
	}
	hs := &http.Server{Handler: p}
	go hs.Serve(l)
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			f.Errorf("Shutdown: %v", err)
		}
		hs.Close()
		if err := o.Store.Close(); err != nil {
			f.Error(err)
		}
		if !eventually(func() bool { return len(platformStacks()) == 0 }) {
			f.Errorf("goroutines are left:\n%s", strings.Join(platformStacks(), "\n\n"))
		}
	})

	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(conn, "GET /parties/a/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		r := bufio.NewReader(conn)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("handshake: %v, %v", resp, err)
		}
		answer := make(chan []byte, 1)
		go func() {
			all, err := io.ReadAll(r)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the server does not hang up")
			}
			answer <- all
		}()
		at := min(int(cut), len(data))
		// The server may hang up before it has got everything.
		if _, err := conn.Write(data[:at]); err == nil {
			_, _ = conn.Write(data[at:])
		}
		_ = conn.(*net.UnixConn).CloseWrite()
		checkFrames(t, <-answer)
		if !eventually(func() bool {
			var out bytes.Buffer
			return p.WriteMetrics(&out) == nil && strings.Contains(out.String(), "party_connections{party=\"a\"} 0\n")
		}) {
			t.Error("the connection is still listed")
		}
	})
}

// platformStacks are the goroutines that run something of the platform or of a room.
func platformStacks() []string {
	all := make([]byte, 4<<20)
	var ours []string
	for _, stack := range strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(stack, "/internal/platform.(") || strings.Contains(stack, "/party/runtime.(") {
			ours = append(ours, stack)
		}
	}
	return ours
}

// checkFrames wants whole, unmasked frames, and nothing behind a close frame.
func checkFrames(t *testing.T, b []byte) {
	t.Helper()
	all, closed := b, false
	for len(b) > 0 {
		if closed {
			t.Errorf("%q: something follows the close frame", all)
			return
		}
		if len(b) < 2 || b[0]&0x70 != 0 || b[1]&0x80 != 0 {
			t.Errorf("%q: no frame at %q", all, b)
			return
		}
		n, head := uint64(b[1]), 2
		switch {
		case n == 126 && len(b) >= 4:
			n, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
		case n == 127 && len(b) >= 10:
			n, head = binary.BigEndian.Uint64(b[2:]), 10
		case n > 125:
			t.Errorf("%q: a cut frame at %q", all, b)
			return
		}
		if n > uint64(len(b)-head) {
			t.Errorf("%.100q: a cut frame, of %d bytes", all, n)
			return
		}
		payload := b[head : head+int(n)]
		if b[0]&0x0f == websocket.CloseMessage {
			closed = true
			if n == 1 || n >= 2 && reserved(int(binary.BigEndian.Uint16(payload))) {
				t.Errorf("%q: a bad close frame, %q", all, payload)
			}
		}
		b = b[head+int(n):]
	}
}

// reserved codes are never sent.
func reserved(code int) bool { return code == 1005 || code == 1006 || code == 1015 }

// eventually waits for a state that nothing announces.
func eventually(done func() bool) bool {
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}
