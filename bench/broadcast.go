//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
)

// round is one message on its way to everybody.
type round struct {
	number uint64
	sent   time.Time
	got    int // receivers
}

// broadcast has one message after the other sent to all members of a room, by
// another one each time. inFlight messages are on their way at once. A
// latency is the time from sending to the last receiver.
func broadcast(inFlight int) func(*meter) error {
	return func(m *meter) error {
		l, err := load.NewLoop(load.SplitFrame)
		if err != nil {
			return err
		}
		defer l.Close()
		if err := dial(l, m, relayConns, func(int) string { return "/parties/relay/lobby" }); err != nil {
			return err
		}
		rounds := make([]round, inFlight) // by number modulo inFlight
		var frame []byte
		send := func(number uint64, now time.Time) error {
			rounds[number%uint64(inFlight)] = round{number: number, sent: now}
			frame = load.AppendText(frame[:0], fmt.Sprintf("%010d is the number of this message to all of you", number))
			return l.Conns()[number%relayConns].Send(frame)
		}
		for n := range inFlight {
			if err := send(uint64(n), time.Now()); err != nil {
				return err
			}
		}
		return m.measure(func(until time.Time) error {
			return l.Run(until, func(_ *load.Conn, got []byte) error {
				if len(got) < 10 {
					return fmt.Errorf("got %q", got)
				}
				number, err := strconv.ParseUint(string(got[:10]), 10, 64)
				r := &rounds[number%uint64(inFlight)]
				if err != nil || r.number != number {
					return fmt.Errorf("got %q, while round %d is under way", got, r.number)
				}
				if m.running {
					m.count++
				}
				if r.got++; r.got < relayConns {
					return nil
				}
				now := time.Now()
				m.done(0, r.sent, now)
				return send(number+uint64(inFlight), now)
			})
		})
	}
}
