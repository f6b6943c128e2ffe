//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// groups are the names for --only, in the order in which they run.
var groups = []string{"echo", "broadcast", "http", "puts", "rooms", "idle", "reload"}

// bench is one run of the program.
type bench struct {
	*options
	progress io.Writer
	dir      string // for binaries and data; removed at the end
	cpus     cpus
	ours     program
	bare     program
	table    table
}

func newBench(ctx context.Context, o *options, progress io.Writer) (_ *bench, err error) {
	b := &bench{options: o, progress: progress}
	if b.dir, err = os.MkdirTemp("", "party-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return nil, err
		}
	}
	if b.ours, err = build(ctx, b.dir, "rooms", "bench/rooms"); err != nil {
		return nil, err
	}
	if o.split {
		b.bare, b.ours.name, b.ours.flags = b.ours, "split", splitFlags
		b.table.sides = [2]string{"split", "one process"}
	} else if b.bare, err = build(ctx, b.dir, "hub", "bench/hub"); err != nil {
		return nil, err
	}
	if b.cpus, err = chooseCPUs(); err != nil {
		return nil, err
	}
	if b.cpus.server == b.cpus.client {
		b.table.note("there is only one CPU: server and load share it")
	}
	return b, nil
}

func (b *bench) close() error { return os.RemoveAll(b.dir) }

// run runs the chosen workloads. One that fails does not keep the others from running.
func (b *bench) run(ctx context.Context) error {
	var errs []error
	if slices.Contains(b.only, "reload") { // first: it is not pinned
		if err := b.reloads(ctx); err != nil {
			errs = append(errs, fmt.Errorf("reload: %w", err))
		}
	}
	runtime.GOMAXPROCS(1)
	if err := pinProcess(b.cpus.client); err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, w := range workloads() {
		if ctx.Err() != nil || !slices.Contains(b.only, w.group) {
			continue
		}
		if err := b.compare(ctx, w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", w.name, err))
		}
	}
	if ctx.Err() == nil && slices.Contains(b.only, "idle") {
		if err := b.memory(ctx); err != nil {
			errs = append(errs, fmt.Errorf("idle: %w", err))
		}
	}
	return errors.Join(errs...)
}

// compare runs a workload on both servers in turn.
func (b *bench) compare(ctx context.Context, w workload) error {
	var ours, bare []sample
	for n := range b.runs {
		for _, side := range []struct {
			program
			samples *[]sample
		}{{b.ours, &ours}, {b.bare, &bare}} {
			if err := ctx.Err(); err != nil {
				return err
			}
			fmt.Fprintf(b.progress, "%s, run %d of %d, %s\n", w.name, n+1, b.runs, side.name)
			s, err := b.one(ctx, w, side.program)
			if err != nil {
				return fmt.Errorf("%s: %w", side.name, err)
			}
			*side.samples = append(*side.samples, s)
		}
	}
	if b.split {
		w.target = 0
	}
	b.table.add(comparison(w, ours, bare))
	return nil
}

// one runs a workload on a fresh process.
func (b *bench) one(ctx context.Context, w workload, prog program) (s sample, err error) {
	p, err := b.start(ctx, prog, "")
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	m := &meter{p: p, warm: min(b.length, warmUp), length: b.length}
	if b.profile != "" {
		m.profile = b.profileFile(w.name, prog)
	}
	if err := w.run(m); err != nil {
		return sample{}, err
	}
	return m.sample, nil
}

func (b *bench) profileFile(workload string, prog program) string {
	return filepath.Join(b.profile, workload+"-"+prog.name+".pprof")
}
