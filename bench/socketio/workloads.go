//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
)

const (
	path      = "/socket.io/?EIO=4&transport=websocket"
	receivers = 500
	window    = 16 // broadcasts under way
	askers    = 50 // one ack in flight each
	dialers   = 50 // connects under way
	payload   = "0123456789abcdef0123456789abcdef"
)

// measure runs a fresh process of the server through all workloads.
func measure(s server, d time.Duration) (figures, error) {
	r, err := start(s)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	f := make(figures)
	for _, workload := range []func(*running, time.Duration, figures) error{fan, acks, connects} {
		if err := workload(r, d, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// crowd connects n clients to the main namespace.
func crowd(r *running, n int) (*load.Loop, error) {
	l, err := load.NewLoop(load.SplitFrame)
	if err != nil {
		return nil, err
	}
	hello := load.AppendText(nil, "40")
	for range n {
		c, err := load.DialWebSocket(r.addr, path)
		if err == nil {
			err = l.Add(c)
		}
		if err == nil {
			err = c.Send(hello)
		}
		if err != nil {
			l.Close()
			return nil, err
		}
	}
	joined := 0
	err = l.Run(time.Now().Add(10*time.Second), func(_ *load.Conn, m []byte) error {
		if bytes.HasPrefix(m, []byte("40{")) {
			if joined++; joined == n {
				return load.ErrStop
			}
		}
		return nil
	})
	if err == nil && joined < n {
		err = fmt.Errorf("%d of %d clients joined", joined, n)
	}
	return l, err
}

// ping answers a heartbeat, and reports whether m was one.
func ping(c *load.Conn, m []byte) (bool, error) {
	if len(m) != 1 || m[0] != '2' {
		return false, nil
	}
	return true, c.Send(load.AppendText(nil, "3"))
}

var fanHead = []byte(`42["fan","`)

func fan(r *running, d time.Duration, f figures) error {
	l, err := crowd(r, receivers+1)
	if err != nil {
		return err
	}
	defer l.Close()
	sender := l.Conns()[0]
	var got [window]int
	var frame []byte
	send := func(n int) error {
		got[n%window] = 0
		frame = load.AppendText(frame[:0], fmt.Sprintf(`42["fan","%010d%s"]`, n, payload[10:]))
		return sender.Send(frame)
	}
	for n := range window {
		if err := send(n); err != nil {
			return err
		}
	}
	count := 0
	on := func(c *load.Conn, m []byte) error {
		if is, err := ping(c, m); is || err != nil {
			return err
		}
		if !bytes.HasPrefix(m, fanHead) || c == sender {
			return fmt.Errorf("got %q", m)
		}
		n, err := strconv.Atoi(string(m[len(fanHead) : len(fanHead)+10]))
		if err != nil {
			return err
		}
		count++
		if got[n%window]++; got[n%window] == receivers {
			return send(n + window)
		}
		return nil
	}
	if err := l.Run(time.Now().Add(d/4), on); err != nil { // warm up
		return err
	}
	count = 0
	cpu, began := r.cpu(), time.Now()
	if err := l.Run(began.Add(d), on); err != nil {
		return err
	}
	f["fan-out to 500"] = float64(count) / time.Since(began).Seconds()
	f["fan-out CPU"] = float64((r.cpu() - cpu).Microseconds()) / float64(count)
	return nil
}

func acks(r *running, d time.Duration, f figures) error {
	l, err := crowd(r, askers)
	if err != nil {
		return err
	}
	defer l.Close()
	var samples load.Samples
	var frame []byte
	ask := func(c *load.Conn) error {
		frame = load.AppendText(frame[:0], fmt.Sprintf(`42%d["echo",%q]`, c.Next, payload))
		c.Sent = time.Now()
		return c.Send(frame)
	}
	for _, c := range l.Conns() {
		if err := ask(c); err != nil {
			return err
		}
	}
	on := func(c *load.Conn, m []byte) error {
		if is, err := ping(c, m); is || err != nil {
			return err
		}
		if want := fmt.Sprintf(`43%d[%q]`, c.Next, payload); string(m) != want {
			return fmt.Errorf("got %q, want %q", m, want)
		}
		samples = append(samples, time.Since(c.Sent))
		c.Next++
		return ask(c)
	}
	if err := l.Run(time.Now().Add(d/4), on); err != nil {
		return err
	}
	samples = samples[:0]
	began := time.Now()
	if err := l.Run(began.Add(d), on); err != nil {
		return err
	}
	f["acks"] = float64(len(samples)) / time.Since(began).Seconds()
	f["ack p50"] = samples.Percentile(50).Seconds() * 1e3
	f["ack p99"] = samples.Percentile(99).Seconds() * 1e3
	return nil
}

// connects opens and closes connections, each of which joins the main namespace.
func connects(r *running, d time.Duration, f figures) error {
	var count atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, dialers)
	began := time.Now()
	until := began.Add(d)
	for range dialers {
		all.Go(func() {
			for time.Now().Before(until) {
				if err := connect(r); err != nil {
					errs <- err
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	close(errs)
	f["connects"] = float64(count.Load()) / time.Since(began).Seconds()
	return <-errs
}

const upgrade = "GET " + path + " HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

func connect(r *running) error {
	conn, err := net.DialTimeout("tcp", r.addr.String(), 10*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetLinger(0) // no port is left in TIME_WAIT
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte(upgrade)); err != nil {
		return err
	}
	buf := make([]byte, 0, 1024)
	for _, want := range []string{`0{"sid"`, `40{"sid"`} {
		for !bytes.Contains(buf, []byte(want)) {
			n, err := conn.Read(buf[len(buf):cap(buf)])
			if err != nil {
				return errors.Join(fmt.Errorf("waiting for %s after %q", want, buf), err)
			}
			buf = buf[:len(buf)+n]
		}
		if want[0] == '0' {
			if _, err := conn.Write(load.AppendText(nil, "40")); err != nil {
				return err
			}
		}
	}
	return nil
}
