//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
	"github.com/goparty-dev/party/bench/internal/probe"
)

// footprint is a figure of memory: how much the server grows by something.
type footprint struct {
	name   string
	things int    // how many there are
	party  string // of the rooms
	target float64
	rest   bool // wait until every room's value has been dropped
	bare   bool // the hub has it too
	before int  // how many others there were before. Default 100, so that code and pools are there
	make   func(p *process, party string, n int) (release func() error, err error)
}

// Numbers of things that are measured. Both ends of a socket are files, in two processes.
const (
	idleConns = 5000
	restRooms = 20_000
)

func footprints() []footprint {
	return []footprint{
		{name: "idle-connection", things: idleConns, party: "idle", target: 12, bare: true, make: connections(1)},
		{name: "idle-connection-hibernating", things: idleConns, party: "parked", target: 12, rest: true, make: connections(1)},
		{name: "room-and-connection", things: idleConns, party: "idle", bare: true, make: connections(idleConns)},
		{name: "room-and-connection-hibernating", things: idleConns, party: "parked", rest: true, make: connections(idleConns)},
		{name: "hibernated-room", things: restRooms, party: "parked", target: 0.2, rest: true, make: visits},
		// What the Go runtime keeps for the most that there ever was at once is there already.
		{name: "hibernated-room-later", things: restRooms, party: "parked", target: 0.02, rest: true, before: restRooms, make: visits},
	}
}

// quickRest makes rooms rest after a fraction of a second.
const quickRest = `{"limits": {"idleSeconds": 0.5}}`

func (b *bench) memory(ctx context.Context) error {
	for _, f := range footprints() {
		var ours, bare []float64
		for n := range b.runs {
			fmt.Fprintf(b.progress, "%s, run %d of %d\n", f.name, n+1, b.runs)
			v, err := b.growth(ctx, f, b.ours)
			if err != nil {
				return fmt.Errorf("%s: ours: %w", f.name, err)
			}
			ours = append(ours, v)
			if !f.bare {
				continue
			}
			if v, err = b.growth(ctx, f, b.bare); err != nil {
				return fmt.Errorf("%s: bare hub: %w", f.name, err)
			}
			bare = append(bare, v)
		}
		r := row{name: f.name, unit: "KB", ours: fmt.Sprintf("%.2f", median(ours))}
		if f.bare {
			r.bare = fmt.Sprintf("%.2f", median(bare))
			r.ratio = fmt.Sprintf("%.2f", median(ours)/median(bare))
		}
		if f.target > 0 {
			r.target, r.verdict = fmt.Sprintf("≤ %g KB", f.target), verdict(median(ours) <= f.target)
		}
		b.table.add(r)
	}
	return nil
}

// growth returns by how many KB a server grows for each thing.
func (b *bench) growth(ctx context.Context, f footprint, prog program) (_ float64, err error) {
	manifest := ""
	if f.rest {
		manifest = quickRest
	}
	p, err := b.start(ctx, prog, manifest)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	release, err := f.make(p, f.party, max(f.before, 100))
	if err != nil {
		return 0, err
	}
	if err := release(); err != nil {
		return 0, err
	}
	before, err := p.settled(f.rest)
	if err != nil {
		return 0, err
	}
	if release, err = f.make(p, f.party, f.things); err != nil {
		return 0, err
	}
	after, err := p.settled(f.rest)
	if err == nil && b.profile != "" {
		err = p.save("heap", b.profileFile(f.name, prog))
	}
	if err = errors.Join(err, release()); err != nil {
		return 0, err
	}
	return float64(after-before) / 1024 / float64(f.things), nil
}

// restTimeout bounds how long rooms may take to be dropped from memory.
const restTimeout = 3 * time.Minute

// settled returns how much memory the server has once it has come to rest: two
// looks in a row see the same number of goroutines and, if asked for, no room's value.
func (p *process) settled(rest bool) (int64, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last probe.Memory
	for end := time.Now().Add(restTimeout); time.Now().Before(end); <-tick.C {
		m, err := p.collect()
		if err != nil {
			return 0, err
		}
		if m.Goroutines == last.Goroutines && m.Live == last.Live && (!rest || m.Live == 0) {
			return p.resident()
		}
		last = m
	}
	return 0, fmt.Errorf("server does not come to rest: %d rooms, %d goroutines", last.Live, last.Goroutines)
}

// connections opens n silent sockets, spread over rooms.
func connections(rooms int) func(*process, string, int) (func() error, error) {
	return func(p *process, party string, n int) (func() error, error) {
		l, err := load.NewLoop(load.SplitFrame)
		if err != nil {
			return nil, err
		}
		m := &meter{p: p}
		path := func(n int) string { return fmt.Sprintf("/parties/%s/room-%d", party, n%rooms) }
		if err := dial(l, m, n, path); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return l.Close, nil
	}
}

// roomsVisited numbers rooms, so that each is visited once.
var roomsVisited int

// visits sends a request to each of n rooms. Nothing is to stay of them.
func visits(p *process, party string, n int) (func() error, error) {
	l, err := load.NewLoop(load.SplitResponse)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c, err := load.Dial(p.addr)
	if err != nil {
		return nil, err
	}
	if err := l.Add(c); err != nil {
		return nil, err
	}
	visited := 0
	send := func() error {
		visited++
		roomsVisited++
		return c.Send(load.AppendGet(nil, fmt.Sprintf("/parties/%s/visited-%d", party, roomsVisited)))
	}
	if err := send(); err != nil {
		return nil, err
	}
	err = l.Run(time.Now().Add(restTimeout), func(*load.Conn, []byte) error {
		if visited == n {
			return load.ErrStop
		}
		return send()
	})
	if err == nil && visited < n {
		err = fmt.Errorf("only %d of %d rooms were visited in time", visited, n)
	}
	return func() error { return nil }, err
}
