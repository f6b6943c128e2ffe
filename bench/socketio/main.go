//go:build linux

// Socketio measures the Socket.IO server against Node's socket.io, in the same run:
//
//	go run ./bench/socketio [--seconds 3] [--runs 3]
//
// It wants Node with the packages of e2e installed. Each server is a process of its own, pinned to
// one CPU; the load comes from this process, pinned to another one, over loopback WebSockets. The servers take turns, and
// figures are medians of the runs. On a machine that others use, compare ratios
// only. It is no test of correctness, but fails if what it gets back is wrong.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// figures are what one run of one server gave, by name of the figure.
type figures map[string]float64

// columns are the figures in the order of the table; for those of better, more is better.
var columns = []struct {
	name, unit string
	better     bool
}{
	{"connects", "/s", true},
	{"fan-out to 500", "deliveries/s", true},
	{"fan-out CPU", "µs/delivery", false},
	{"acks", "/s", true},
	{"ack p50", "ms", false},
	{"ack p99", "ms", false},
}

func main() {
	seconds := flag.Float64("seconds", 3, "`seconds` that each figure is measured for")
	runs := flag.Int("runs", 3, "`number` of runs")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := pin(os.Getpid(), 1); err != nil {
		fail(err)
	}
	servers, cleanup, err := prepare()
	if err != nil {
		fail(err)
	}
	defer cleanup()
	results := make(map[string][]figures)
	for range *runs {
		for _, s := range servers {
			f, err := measure(s, time.Duration(*seconds*float64(time.Second)))
			if err != nil {
				cleanup()
				fail(fmt.Errorf("%s: %w", s.name, err))
			}
			results[s.name] = append(results[s.name], f)
		}
	}
	print(servers, results)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(1)
}

// print prints the table: medians, and how ours compares with Node's.
func print(servers []server, results map[string][]figures) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\t")
	for _, s := range servers {
		fmt.Fprint(w, s.name, "\t")
	}
	fmt.Fprintln(w, "better by\t")
	for _, c := range columns {
		fmt.Fprintf(w, "%s (%s)\t", c.name, c.unit)
		var values []float64
		for _, s := range servers {
			v := median(results[s.name], c.name)
			values = append(values, v)
			fmt.Fprintf(w, "%.4g\t", v)
		}
		ratio := values[0] / values[1]
		if !c.better {
			ratio = values[1] / values[0]
		}
		fmt.Fprintf(w, "%.2f×\t\n", ratio)
	}
	w.Flush()
}

func median(runs []figures, name string) float64 {
	var values []float64
	for _, f := range runs {
		values = append(values, f[name])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
