//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what the program prints.
type table struct {
	rows  []row
	notes []string
	sides [2]string // what is compared. Default: ours and the bare hub
}

// row is one line of the table; what does not apply is "".
type row struct {
	name, unit           string
	ours, bare           string // per second, or the figure itself
	oursCPU, bareCPU     string // per CPU second of the server
	ratio                string // of what the target is about
	target, verdict      string
	oursTimes, bareTimes string // p50 / p99
	remark               string
}

func (t *table) add(r row) { t.rows = append(t.rows, r) }

func (t *table) note(text string) { t.notes = append(t.notes, text) }

func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := strings.NewReplacer("OURS", cmp.Or(t.sides[0], "ours"), "BARE HUB", cmp.Or(t.sides[1], "bare hub"), "BARE", cmp.Or(t.sides[1], "bare"))
	fmt.Fprintln(tw, head.Replace("workload\tunit\tOURS\tBARE HUB\tOURS /CPU-s\tBARE /CPU-s\tratio\ttarget\t\tOURS p50/p99 ms\tBARE p50/p99 ms\t"))
	named := strings.NewReplacer("ours", cmp.Or(t.sides[0], "ours"), "bare hub", cmp.Or(t.sides[1], "bare hub"))
	for _, r := range t.rows {
		cells := []string{r.name, r.unit, r.ours, r.bare, r.oursCPU, r.bareCPU, r.ratio, r.target, r.verdict, r.oursTimes, r.bareTimes, named.Replace(r.remark)}
		for n := range cells {
			if cells[n] == "" && n < 11 && n != 8 {
				cells[n] = "–"
			}
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
	for _, n := range t.notes {
		fmt.Fprintln(w, n)
	}
}

// comparison sums up the runs of a workload on both servers, which took turns.
func comparison(w workload, ours, bare []sample) row {
	value := (*sample).perCPU
	if w.wall {
		value = (*sample).perSecond
	}
	r := row{
		name: w.name, unit: w.unit + "/s",
		ours: count(over(ours, (*sample).perSecond)), bare: count(over(bare, (*sample).perSecond)),
		oursCPU: count(over(ours, (*sample).perCPU)), bareCPU: count(over(bare, (*sample).perCPU)),
		oursTimes: times(ours), bareTimes: times(bare),
	}
	// Of runs that follow each other, because the machine's speed changes.
	ratios := make([]float64, len(ours))
	for n := range ours {
		ratios[n] = value(&ours[n]) / value(&bare[n])
	}
	ratio := median(ratios)
	r.ratio = fmt.Sprintf("%.2f", ratio)
	if w.wall {
		r.ratio += " (wall)"
	}
	if w.target > 0 {
		r.target, r.verdict = fmt.Sprintf("≥ %.1f", w.target), verdict(ratio >= w.target)
	}
	r.remark = bound(ours, bare)
	return r
}

func verdict(ok bool) string {
	if ok {
		return "ok"
	}
	return "below"
}

// clientLimit is the share of its CPU from which the load is what limits a run.
const clientLimit = 0.95

// bound says which of the servers could have done more than the load asked for.
func bound(ours, bare []sample) string {
	var names []string
	if over(ours, (*sample).clientBusy) > clientLimit {
		names = append(names, "ours")
	}
	if over(bare, (*sample).clientBusy) > clientLimit {
		names = append(names, "bare hub")
	}
	if len(names) == 0 {
		return ""
	}
	return "client-bound: " + strings.Join(names, ", ")
}

// over returns the median of a value over the runs.
func over(runs []sample, value func(*sample) float64) float64 {
	values := make([]float64, len(runs))
	for n := range runs {
		values[n] = value(&runs[n])
	}
	return median(values)
}

func times(runs []sample) string {
	ms := func(of func(*sample) time.Duration) string {
		return millis(over(runs, func(s *sample) float64 { return of(s).Seconds() * 1000 }))
	}
	return ms((*sample).p50) + " / " + ms((*sample).p99)
}

// median of an even number of values is the mean of the two in the middle; of none it is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Clone(values)
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// count prints a number with three digits or so.
func count(v float64) string {
	switch {
	case v >= 99_950:
		return fmt.Sprintf("%.0fk", v/1000)
	case v >= 999.5:
		return fmt.Sprintf("%.1fk", v/1000)
	}
	return fmt.Sprintf("%.0f", v)
}

// spread tells how far values are apart.
func spread(values []float64) string {
	return millis(slices.Min(values)) + " to " + millis(slices.Max(values))
}

func millis(v float64) string {
	if v >= 9.95 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
