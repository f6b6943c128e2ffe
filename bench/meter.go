//go:build linux

package main

import (
	"errors"
	"syscall"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
)

// warmUp is how long a server gets its load before anything is counted.
const warmUp = 400 * time.Millisecond

// sample is what one run gave.
type sample struct {
	count          float64
	elapsed        time.Duration
	server, client time.Duration // CPU time
	latencies      load.Samples
}

func (s *sample) perSecond() float64  { return s.count / s.elapsed.Seconds() }
func (s *sample) perCPU() float64     { return s.count / s.server.Seconds() }
func (s *sample) clientBusy() float64 { return s.client.Seconds() / s.elapsed.Seconds() }
func (s *sample) p50() time.Duration  { return s.latencies.Percentile(50) }
func (s *sample) p99() time.Duration  { return s.latencies.Percentile(99) }

// meter counts what one run does.
type meter struct {
	p            *process
	warm, length time.Duration
	profile      string // file; empty: none

	running bool
	sample
}

// done counts n results. began is when the last of them was asked for.
func (m *meter) done(n int, began, now time.Time) {
	if !m.running {
		return
	}
	m.count += float64(n)
	m.latencies = append(m.latencies, now.Sub(began))
}

// errShort says that this machine has done nothing of the load in the time of a run.
var errShort = errors.New("nothing was measured: the run is too short")

// measure runs the load: first to warm up, then counted.
func (m *meter) measure(load func(until time.Time) error) error {
	if err := load(time.Now().Add(m.warm)); err != nil {
		return err
	}
	if m.profile != "" {
		if _, err := m.p.ask("start"); err != nil {
			return err
		}
	}
	m.latencies = make([]time.Duration, 0, 1<<20)
	server, err := m.p.cpu()
	if err != nil {
		return err
	}
	client, began := clientCPU(), time.Now()
	m.running = true
	err = load(began.Add(m.length))
	m.running = false
	m.elapsed, m.client = time.Since(began), clientCPU()-client
	after, e := m.p.cpu()
	m.server = after - server
	if err = errors.Join(err, e); err != nil {
		return err
	}
	if m.server <= 0 || m.count == 0 {
		return errShort
	}
	if m.profile != "" {
		return m.p.save("stop", m.profile)
	}
	return nil
}

// clientCPU returns the CPU time that this process has used.
func clientCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
