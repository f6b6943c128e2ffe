package platform

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// heard is a peer that writes down what it is told.
type heard struct{ pings, pongs []string }

func (h *heard) pinged(payload string) { h.pings = append(h.pings, payload) }
func (h *heard) ponged()               { h.pongs = append(h.pongs, "") }

// wires are the kinds of sockets: one that can be read without waiting, and one that cannot.
func wires(t *testing.T) map[string]func() (near, far net.Conn) {
	return map[string]func() (net.Conn, net.Conn){
		"tcp": func() (net.Conn, net.Conn) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			far, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			near, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { near.Close(); far.Close() })
			return near, far
		},
		"pipe": func() (net.Conn, net.Conn) {
			near, far := net.Pipe()
			t.Cleanup(func() { near.Close(); far.Close() })
			return near, far
		},
	}
}

// clientFrame is a frame as a client sends it.
func clientFrame(first byte, payload string) []byte {
	b := appendHead(nil, 0, len(payload))
	b[0], b[1] = first, b[1]|maskBit
	mask := [4]byte{0xa5, 0x00, 0xff, 0x3c}
	masked := []byte(payload)
	unmask(masked, mask)
	return append(append(b, mask[:]...), masked...)
}

func TestUnmask(t *testing.T) {
	mask := [4]byte{1, 2, 3, 0xff}
	for n := range 40 {
		b := bytes.Repeat([]byte{0x55}, n)
		want := make([]byte, n)
		for i := range want {
			want[i] = 0x55 ^ mask[i&3]
		}
		if unmask(b, mask); !bytes.Equal(b, want) {
			t.Errorf("%d bytes: got %x, want %x", n, b, want)
		}
	}
}

// TestReader sends messages of all sizes around those of buffers and of heads, in one and in several frames, with
// pings between them, cut anywhere.
func TestReader(t *testing.T) {
	const limit = 1 << 20
	var sizes []int
	for _, n := range []int{0, 1, 125, 126, 127, bufferSize - maxHead, bufferSize, 1<<16 - 1, 1 << 16, limit} {
		sizes = append(sizes, max(n-1, 0), n, min(n+1, limit))
	}
	for name, wire := range wires(t) {
		t.Run(name, func(t *testing.T) {
			near, far := wire()
			var h heard
			r := newReader(near, limit, &h)
			var wire []byte
			var want []string
			for n, size := range sizes {
				text := strings.Repeat("ä", size/2) + strings.Repeat("x", size%2)
				switch n % 3 {
				case 0:
					wire = append(wire, clientFrame(finBit|websocket.TextMessage, text)...)
				case 1: // in parts that cut letters
					third := size / 3
					wire = append(wire, clientFrame(websocket.BinaryMessage, text[:third])...)
					wire = append(wire, clientFrame(finBit|websocket.PingMessage, fmt.Sprint(n))...)
					wire = append(wire, clientFrame(continuation, text[third:2*third])...)
					wire = append(wire, clientFrame(finBit|continuation, text[2*third:])...)
				case 2:
					wire = append(wire, clientFrame(websocket.TextMessage, "")...)
					wire = append(wire, clientFrame(finBit|websocket.PongMessage, "")...)
					wire = append(wire, clientFrame(finBit|continuation, text)...)
				}
				want = append(want, text)
			}
			wire = append(wire, clientFrame(finBit|websocket.CloseMessage, "\x03\xe8bye")...)
			go func() {
				for len(wire) > 0 {
					n := min(len(wire), 1+rand.IntN(9000))
					if rand.IntN(3) == 0 {
						n = min(n, 1+rand.IntN(5))
					}
					if _, err := far.Write(wire[:n]); err != nil {
						return
					}
					wire = wire[n:]
				}
			}()
			for n, text := range want {
				kind, data, err := r.next()
				if err != nil || data != text || (kind == websocket.BinaryMessage) != (n%3 == 1) {
					t.Fatalf("message %d: got kind %d, %d bytes, %v, want %d bytes", n, kind, len(data), err, len(text))
				}
			}
			_, _, err := r.next()
			var ce *websocket.CloseError
			if !errors.As(err, &ce) || ce.Code != 1000 || ce.Text != "bye" {
				t.Errorf("at the end: %v", err)
			}
			if len(h.pings) != len(want)/3 || len(h.pongs) != len(want)/3 || h.pings[0] != "1" {
				t.Errorf("got pings %q and %d pongs, want %d each", h.pings, len(h.pongs), len(want)/3)
			}
			if r.end(); r.buf != nil || r.parts != nil {
				t.Error("something stays in memory")
			}
		})
	}
}

// TestReaderBelievesNothing: a client that announces much and sends nothing costs nothing.
func TestReaderBelievesNothing(t *testing.T) {
	near, far := wires(t)["tcp"]()
	r := newReader(near, 1<<30, &heard{})
	go func() {
		far.Write(clientFrame(websocket.BinaryMessage, "some"))
		far.Write(binary.BigEndian.AppendUint64([]byte{finBit, maskBit | 127}, 1<<29))
		far.Write([]byte("mask"))
		far.Close()
	}()
	if _, _, err := r.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if cap(r.parts) > 2*bufferSize {
		t.Errorf("%d bytes were taken for 4", cap(r.parts))
	}
}

// TestReaderRests: between two frames, and only there, a reader can be asked to stop. It goes on where it was.
func TestReaderRests(t *testing.T) {
	near, far := wires(t)["tcp"]()
	r := newReader(near, 1000, &heard{})
	r.rests = true
	frame := clientFrame(finBit|websocket.TextMessage, "hello")
	for cut := range len(frame) {
		if _, err := far.Write(frame[:cut]); err != nil {
			t.Fatal(err)
		}
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			near.SetReadDeadline(time.Unix(1, 0))
			if cut > 0 {
				far.Write(frame[cut:])
			}
		}()
		kind, data, err := r.next()
		<-asked
		if err == errRest { // before the first byte had come
			near.SetReadDeadline(time.Time{})
			if r.buf != nil {
				t.Fatalf("cut at %d: it rests and keeps a buffer", cut)
			}
			if cut == 0 {
				continue
			}
			kind, data, err = r.next()
		}
		if kind != websocket.TextMessage || data != "hello" || err != nil {
			t.Fatalf("cut at %d: got %d %q, %v", cut, kind, data, err)
		}
		near.SetReadDeadline(time.Time{})
	}
	r.busy = false
	if _, _, err := r.next(); err != errRest {
		t.Errorf("with nothing to read: %v, want %v", err, errRest)
	}
}

// FuzzReader reads the same bytes as gorilla's reader, which must come to the same messages and the same end.
func FuzzReader(f *testing.F) {
	const limit = 300
	for _, b := range [][]byte{
		clientFrame(0x81, "hello"), clientFrame(0x82, "\xff"), clientFrame(0x81, "\xff"), clientFrame(0x81, strings.Repeat("x", limit)), clientFrame(0x81, strings.Repeat("x", limit+1)),
		append(clientFrame(1, "a"), clientFrame(0x80, "b")...), append(clientFrame(1, "a"), clientFrame(0x89, "b")...), append(clientFrame(1, "a"), clientFrame(0x81, "b")...),
		clientFrame(0x88, ""), clientFrame(0x88, "\x03\xe8ok"), clientFrame(0x88, "\x03"), clientFrame(0x88, "\x03\xed"), clientFrame(0x88, "\x03\xe8\xff"), clientFrame(0x88, "\x0b\xb8x"), clientFrame(0x88, "\x13\x88x"),
		clientFrame(0x80, "x"), clientFrame(0xc1, "x"), clientFrame(0x83, "x"), clientFrame(0x8b, "x"), clientFrame(0x09, "x"), clientFrame(0x8a, strings.Repeat("x", 126)),
		{0x81, 0x01, 'x'}, {0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, {0x82, 0xfe, 0},
		append(clientFrame(1, strings.Repeat("x", 200)), clientFrame(0x80, strings.Repeat("x", 101))...),
	} {
		f.Add(b)
	}
	read := func(next func() (int, string, error)) (out []string) {
		for {
			kind, data, err := next()
			var ce *websocket.CloseError
			switch {
			case err == nil:
				out = append(out, fmt.Sprintf("%d %q", kind, data))
				continue
			case errors.As(err, &ce) && ce.Code != websocket.CloseAbnormalClosure:
				return append(out, fmt.Sprintf("close %d %q", ce.Code, ce.Text))
			case errors.Is(err, errBig), errors.Is(err, websocket.ErrReadLimit):
				return append(out, "too big")
			case errors.Is(err, errNotUTF8):
				return append(out, "not UTF-8")
			case errors.As(err, new(protocolError)), strings.HasPrefix(err.Error(), "websocket: ") && ce == nil:
				return append(out, "protocol")
			}
			return append(out, "cut")
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := net.Pipe()
		go func() { far.Write(b); far.Close() }()
		r := newReader(near, limit, &heard{})
		ours := read(r.next)
		near.Close()

		ws, end := gorillaConn(t, b)
		defer end()
		ws.SetReadLimit(limit)
		ws.SetPingHandler(func(string) error { return nil })
		ws.SetCloseHandler(func(int, string) error { return nil })
		theirs := read(func() (int, string, error) {
			kind, data, err := ws.ReadMessage()
			if err == nil && kind == websocket.TextMessage && !validText(data) {
				err = errNotUTF8
			}
			return kind, string(data), err
		})
		if n := len(theirs) - 1; ours[len(ours)-1] == "protocol" && theirs[n] == `close 1005 ""` {
			theirs[n] = "protocol" // gorilla takes half a close code for none
		}
		// Where two things are wrong with one frame, either may be said.
		last := len(ours) - 1
		if len(ours) == len(theirs) && !strings.HasPrefix(ours[last], "close") && !strings.HasPrefix(theirs[last], "close") {
			ours, theirs = ours[:last], theirs[:last]
		}
		if fmt.Sprint(ours) != fmt.Sprint(theirs) {
			t.Errorf("%q: got %q, gorilla %q", b, ours, theirs)
		}
	})
}

func validText(b []byte) bool { return strings.ToValidUTF8(string(b), "") == string(b) }

// gorillaConn is a server's end of a WebSocket on which bytes arrive and then nothing more.
func gorillaConn(t *testing.T, b []byte) (*websocket.Conn, func()) {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		io.CopyN(io.Discard, far, 1<<20) // the handshake's answer, and close frames
	}()
	req := httptest.NewRequest("GET", "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		req.Header.Set(k, v)
	}
	ws, err := new(websocket.Upgrader).Upgrade(&piped{header: http.Header{}, conn: near}, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { far.Write(b); far.Close() }()
	return ws, func() { near.Close(); far.Close() }
}

// piped is a ResponseWriter whose connection is a pipe.
type piped struct {
	header http.Header
	conn   net.Conn
}

func (p *piped) Header() http.Header         { return p.header }
func (p *piped) Write(b []byte) (int, error) { return p.conn.Write(b) }
func (p *piped) WriteHeader(int)             {}
func (p *piped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.conn, bufio.NewReadWriter(bufio.NewReader(p.conn), bufio.NewWriter(p.conn)), nil
}
