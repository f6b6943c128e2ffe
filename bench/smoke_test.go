//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// newTestBench builds the servers. The test process itself is not pinned.
func newTestBench(t *testing.T) *bench {
	t.Helper()
	b, err := newBench(context.Background(), &options{length: 300 * time.Millisecond, runs: 1}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// try compares the servers, with longer runs if this machine is too busy for short ones.
func (b *bench) try(w workload) error {
	for b.length = 300 * time.Millisecond; ; b.length *= 4 {
		if err := b.compare(context.Background(), w); !errors.Is(err, errShort) || b.length > 15*time.Second {
			return err
		}
	}
}

// Every workload does its work, on both servers, and prints its row.
func TestWorkloads(t *testing.T) {
	b := newTestBench(t)
	for _, w := range workloads() {
		if err := b.try(w); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	var out strings.Builder
	b.table.print(&out)
	for _, w := range workloads() {
		if !strings.Contains(out.String(), w.name+" ") {
			t.Errorf("no row for %s in:\n%s", w.name, out.String())
		}
	}
}

// Split, the rooms do the same work, and the CPU time of both processes counts.
func TestSplit(t *testing.T) {
	b, err := newBench(context.Background(), &options{length: 300 * time.Millisecond, runs: 1, split: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for _, w := range workloads()[:1] {
		if err := b.try(w); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	var out strings.Builder
	b.table.print(&out)
	for _, want := range []string{"split /CPU-s", "one process /CPU-s", "echo "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	p, err := b.start(context.Background(), b.ours, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	hosts, err := children(p.cmd.Process.Pid)
	if err != nil || len(hosts) != 1 {
		t.Fatalf("hosts of the server: %v, %v", hosts, err)
	}
	both, err := p.cpu()
	platform, err2 := cpuOf(p.cmd.Process.Pid)
	if err != nil || err2 != nil || both < platform {
		t.Errorf("CPU time: %v of both, %v of the platform, %v, %v", both, platform, err, err2)
	}
	b.ours.flags = []string{"--nonsense"}
	if _, err := b.start(context.Background(), b.ours, ""); err == nil {
		t.Error("a server with nonsense for flags: got no error")
	}
}

func TestFootprints(t *testing.T) {
	b := newTestBench(t)
	for _, f := range footprints() {
		f.things = 50
		if _, err := b.growth(context.Background(), f, b.ours); err != nil {
			t.Errorf("%s: ours: %v", f.name, err)
		}
		if !f.bare {
			continue
		}
		if _, err := b.growth(context.Background(), f, b.bare); err != nil {
			t.Errorf("%s: bare hub: %v", f.name, err)
		}
	}
}
