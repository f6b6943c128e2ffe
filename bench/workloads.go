//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
)

// workload is something that both servers do.
type workload struct {
	group  string // for --only
	name   string // of its row
	unit   string
	target float64 // least ratio of ours to the hub's
	// wall compares values per second instead of per CPU second, for what
	// waits for the disk.
	wall bool
	run  func(*meter) error
}

// Numbers of connections: enough to keep one core busy, each with one message in flight.
const (
	echoConns  = 64
	relayConns = 1000
	httpConns  = 32
	putConns   = 64
)

func workloads() []workload {
	return []workload{
		{group: "echo", name: "echo", unit: "msg", target: 0.8, run: echo},
		{group: "broadcast", name: "broadcast-1000", unit: "deliveries", target: 0.8, run: broadcast(1)},
		{group: "broadcast", name: "broadcast-1000-saturated", unit: "deliveries", target: 0.8, run: broadcast(16)},
		{group: "http", name: "http", unit: "req", target: 0.6, run: requests(func(uint64) string { return "/parties/echo/lobby" })},
		{group: "puts", name: "puts-32-rooms", unit: "puts", target: 0.5, wall: true, run: puts(32)},
		{group: "puts", name: "puts-1-room", unit: "puts", target: 0.5, wall: true, run: puts(1)},
		{group: "rooms", name: "fresh-rooms-http", unit: "rooms", run: requests(func(n uint64) string { return fmt.Sprintf("/parties/echo/room-%d", n) })},
		{group: "rooms", name: "fresh-rooms-socket", unit: "rooms", run: connects},
	}
}

// pingPong keeps one message in flight on each connection. message returns a
// connection's next message; the answer must be the same.
func pingPong(m *meter, conns int, path func(n int) string, message func(c *load.Conn) string) error {
	l, err := load.NewLoop(load.SplitFrame)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := dial(l, m, conns, path); err != nil {
		return err
	}
	want := make([]string, conns)
	var frame []byte
	send := func(c *load.Conn, now time.Time) error {
		c.Next++
		c.Sent = now
		want[c.N] = message(c)
		frame = load.AppendText(frame[:0], want[c.N])
		return c.Send(frame)
	}
	for _, c := range l.Conns() {
		if err := send(c, time.Now()); err != nil {
			return err
		}
	}
	return m.measure(func(until time.Time) error {
		return l.Run(until, func(c *load.Conn, got []byte) error {
			if string(got) != want[c.N] {
				return fmt.Errorf("got %q, want %q", got, want[c.N])
			}
			now := time.Now()
			m.done(1, c.Sent, now)
			return send(c, now)
		})
	})
}

func dial(l *load.Loop, m *meter, conns int, path func(n int) string) error {
	for n := range conns {
		c, err := load.DialWebSocket(m.p.addr, path(n))
		if err != nil {
			return err
		}
		if err := l.Add(c); err != nil {
			return err
		}
	}
	return nil
}

func echo(m *meter) error {
	path := func(int) string { return "/parties/echo/lobby" }
	return pingPong(m, echoConns, path, func(c *load.Conn) string {
		return fmt.Sprintf("message %08d of connection %02d, which is to come back", c.Next, c.N)
	})
}

// puts stores values that differ each time, under a few keys for each connection.
func puts(rooms int) func(*meter) error {
	return func(m *meter) error {
		path := func(n int) string { return fmt.Sprintf("/parties/ledger/room-%d", n%rooms) }
		return pingPong(m, putConns, path, func(c *load.Conn) string {
			return fmt.Sprintf("key-%d-%d value %08d, which is about as long as a line that somebody has said in a chat", c.N, c.Next%64, c.Next)
		})
	}
}

// requests sends GET requests on kept connections. path is given how many went before.
func requests(path func(n uint64) string) func(*meter) error {
	return func(m *meter) error {
		l, err := load.NewLoop(load.SplitResponse)
		if err != nil {
			return err
		}
		defer l.Close()
		for range httpConns {
			c, err := load.Dial(m.p.addr)
			if err != nil {
				return err
			}
			if err := l.Add(c); err != nil {
				return err
			}
		}
		var buf []byte
		total := uint64(0)
		send := func(c *load.Conn, now time.Time) error {
			c.Sent = now
			buf = load.AppendGet(buf[:0], path(total))
			total++
			return c.Send(buf)
		}
		for _, c := range l.Conns() {
			if err := send(c, time.Now()); err != nil {
				return err
			}
		}
		return m.measure(func(until time.Time) error {
			return l.Run(until, func(c *load.Conn, got []byte) error {
				if string(got) != "hello from a room\n" {
					return fmt.Errorf("got %q", got)
				}
				now := time.Now()
				m.done(1, c.Sent, now)
				return send(c, now)
			})
		})
	}
}

// connects opens a socket to a new room each time, one after the other: what is
// measured is all that a server does for it, up to the 101.
func connects(m *meter) error {
	total := 0
	return m.measure(func(until time.Time) error {
		for {
			began := time.Now()
			if began.After(until) {
				return nil
			}
			total++
			c, err := load.DialWebSocket(m.p.addr, fmt.Sprintf("/parties/echo/room-%d", total))
			if err != nil {
				return err
			}
			m.done(1, began, time.Now())
			if err := c.Reset(); err != nil {
				return err
			}
		}
	})
}
