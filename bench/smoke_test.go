//go:build linux

package main

import (
	"context"
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

// Every workload does its work, on both servers, and prints its row.
func TestWorkloads(t *testing.T) {
	b := newTestBench(t)
	for _, w := range workloads() {
		if err := b.compare(context.Background(), w); err != nil {
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
