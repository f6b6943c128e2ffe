//go:build linux

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/bench/internal/load"
)

func TestCPUTime(t *testing.T) {
	const rest = " S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 5 0 1000 1000000 500"
	for _, name := range []string{"(rooms)", "(a) b (c) 1 2)"} {
		got, err := cpuTime("42 " + name + rest)
		if want := 3 * time.Second; got != want || err != nil {
			t.Errorf("cpuTime of %s = %v, %v, want %v", name, got, err, want)
		}
	}
	for _, bad := range []string{"", "42 (rooms) S 1 2", strings.Replace("42 (rooms)"+rest, "250", "x", 1)} {
		if got, err := cpuTime(bad); err == nil {
			t.Errorf("cpuTime(%q) = %v, want an error", bad, got)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 100}, 3}} {
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 99.4: "99", 999.4: "999", 1234: "1.2k", 99_949: "99.9k", 183_700: "184k"} {
		if got := count(v); got != want {
			t.Errorf("count(%v) = %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.123: "0.12", 3.44: "3.4", 9.96: "10", 412.5: "412"} {
		if got := millis(v); got != want {
			t.Errorf("millis(%v) = %s, want %s", v, got, want)
		}
	}
}

// oneSecond makes a sample of one second.
func oneSecond(count float64, server, client time.Duration) sample {
	return sample{count: count, elapsed: time.Second, server: server, client: client, latencies: load.Samples{time.Millisecond}}
}

func TestComparison(t *testing.T) {
	// The machine slows down from run to run, the ratio does not.
	ours := []sample{oneSecond(900, time.Second, 0), oneSecond(400, time.Second/2, 0), oneSecond(100, time.Second/4, 0)}
	bare := []sample{oneSecond(1000, time.Second, time.Second), oneSecond(500, time.Second/2, time.Second), oneSecond(200, time.Second/4, time.Second)}
	got := comparison(workload{name: "echo", unit: "msg", target: 0.8}, ours, bare)
	want := row{
		name: "echo", unit: "msg/s", ours: "400", bare: "500", oursCPU: "800", bareCPU: "1.0k",
		ratio: "0.80", target: "≥ 0.8", verdict: "ok", oursTimes: "1 / 1", bareTimes: "1 / 1",
		remark: "client-bound: bare hub",
	}
	if got != want {
		t.Errorf("comparison = %+v, want %+v", got, want)
	}
	if got := comparison(workload{target: 0.9, wall: true}, ours, bare); got.verdict != "below" || got.ratio != "0.80 (wall)" {
		t.Errorf("comparison by wall clock: %q, %q, want below, 0.80 (wall)", got.verdict, got.ratio)
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"--only", "echo,nothing"}, {"--runs", "0"}, {"--seconds", "-1"}, {"--what"}, {"echo"}} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("run(%q) = %d, says %q, want 2 and why", args, code, errs.String())
		}
	}
}

// Every name that --only takes runs something.
func TestGroups(t *testing.T) {
	used := map[string]bool{"idle": true, "reload": true} // run by functions of their own
	for _, w := range workloads() {
		used[w.group] = true
	}
	for _, g := range groups {
		if !used[g] {
			t.Errorf("group %q runs nothing", g)
		}
		delete(used, g)
	}
	if len(used) > 0 {
		t.Errorf("workloads of unknown groups: %v", used)
	}
}
