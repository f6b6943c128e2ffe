package platform

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// plugged is an outbox with somebody at the other end, over TCP or a pipe.
func plugged(t *testing.T, limit int) map[string]func(t *testing.T) (*outbox, net.Conn) {
	return map[string]func(t *testing.T) (*outbox, net.Conn){
		"tcp": func(t *testing.T) (*outbox, net.Conn) {
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
			o := &outbox{limit: limit}
			o.attach(near)
			t.Cleanup(func() { o.abort(); far.Close() })
			return o, far
		},
		"pipe": func(t *testing.T) (*outbox, net.Conn) {
			near, far := net.Pipe()
			o := &outbox{limit: limit}
			o.attach(near)
			t.Cleanup(func() { o.abort(); far.Close() })
			return o, far
		},
	}
}

// TestOutboxOrder writes from many goroutines frames of many sizes, whole and in order.
func TestOutboxOrder(t *testing.T) {
	const senders, each = 4, 200
	for name, plug := range plugged(t, 1<<30) {
		t.Run(name, func(t *testing.T) {
			o, far := plug(t)
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for n := range each {
						o.send(fmt.Appendf(nil, "%d %d x%s\n", s, n, strings.Repeat("x", (n*7919)%30000)))
					}
				})
			}
			go func() {
				wg.Wait()
				o.end([]byte("end\n"), true)
			}()
			all, err := io.ReadAll(far)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n"))
			if len(lines) != senders*each+1 || string(lines[len(lines)-1]) != "end" {
				t.Fatalf("got %d lines, the last is %.50q", len(lines), lines[len(lines)-1])
			}
			next := make([]int, senders)
			for _, line := range lines[:len(lines)-1] {
				head, x, _ := bytes.Cut(line, []byte(" x"))
				var s, n int
				fmt.Sscan(string(head), &s, &n)
				if n != next[s] || len(x) != (n*7919)%30000 {
					t.Fatalf("sender %d: got %d with %d bytes, want %d", s, n, len(x), next[s])
				}
				next[s]++
			}
		})
	}
}

// TestOutboxLimit refuses what a client does not read, and sends what was taken before, and the last frame.
func TestOutboxLimit(t *testing.T) {
	for name, plug := range plugged(t, 1000) {
		t.Run(name, func(t *testing.T) {
			o, far := plug(t)
			frame := bytes.Repeat([]byte("x"), 400)
			taken := 0
			for o.send(frame) {
				if taken++; taken > 1<<20 {
					t.Fatal("no limit")
				}
			}
			if !o.send(frame) {
				t.Error("told twice")
			}
			o.end([]byte("end"), true)
			o.send(frame) // after the end
			got, err := io.ReadAll(far)
			if want := taken*400 + 3; len(got) != want || !bytes.HasSuffix(got, []byte("xend")) || err != nil {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, want)
			}
		})
	}
}

// TestOutboxBeforeAttach queues what is sent before there is a socket.
func TestOutboxBeforeAttach(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(*outbox)
		want   string
	}{
		{"frames", func(o *outbox) { o.send([]byte("a")); o.send([]byte("b")); o.end([]byte("c"), true) }, "abc"},
		{"nothing but the end", func(o *outbox) { o.end([]byte("c"), true) }, "c"},
		{"aborted", func(o *outbox) { o.send([]byte("a")); o.abort() }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			near, far := net.Pipe()
			o := &outbox{limit: 1000}
			test.before(o)
			o.attach(near)
			got, err := io.ReadAll(far)
			if string(got) != test.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestOutboxGivesUp closes the socket of a client that takes nothing for too long.
func TestOutboxGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		o := &outbox{limit: 1000}
		o.attach(near)
		o.send([]byte("x"))
		time.Sleep(flushTimeout + time.Second)
		synctest.Wait()
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
		if !o.send([]byte("y")) { // goes nowhere
			t.Error("a closed outbox is full")
		}
	})
}
