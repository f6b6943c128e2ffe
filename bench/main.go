//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the command line.
type options struct {
	only    []string // groups of workloads
	length  time.Duration
	runs    int
	split   bool   // against one process, instead of ours against the hub
	profile string // folder for CPU profiles; empty: none
	reload  reloadOptions
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	b, err := newBench(ctx, o, stderr)
	if err == nil {
		err = b.run(ctx)
		b.table.print(stdout)
		err = errors.Join(err, b.close())
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	only := set.String("only", strings.Join(groups, ","), "comma-separated `workloads` to run")
	set.BoolVar(&o.split, "split", false, "compare rooms in a process of their own (serve --upgradable) with everything in one process: "+strings.Join(splitGroups, ", "))
	seconds := set.Float64("seconds", 3, "length of one run")
	set.IntVar(&o.runs, "runs", 3, "runs of each server")
	set.StringVar(&o.profile, "profile", "", "`folder` for a CPU profile of each server and workload")
	set.IntVar(&o.reload.edits, "edits", 10, "how often reload changes the source")
	set.StringVar(&o.reload.command, "party", "", "party `binary` for reload; built from this checkout when not given")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	fail := func(format string, args ...any) (*options, error) {
		err := fmt.Errorf(format, args...)
		fmt.Fprintln(stderr, "bench:", err)
		return nil, err
	}
	known := groups
	if o.split {
		known = splitGroups
		if *only == strings.Join(groups, ",") {
			*only = strings.Join(known, ",")
		}
	}
	o.only = strings.Split(*only, ",")
	for _, name := range o.only {
		if !slices.Contains(known, name) {
			return fail("unknown workload %q; there is: %s", name, strings.Join(known, ", "))
		}
	}
	o.length = time.Duration(*seconds * float64(time.Second))
	switch {
	case set.NArg() > 0:
		return fail("unexpected argument %q", set.Arg(0))
	case o.length <= 0, o.runs <= 0, o.reload.edits <= 0:
		return fail("--seconds, --runs and --edits must be positive")
	}
	return o, nil
}
