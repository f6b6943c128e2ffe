package admin

import (
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"time"
)

var begun = time.Now()

// readings are what the Go runtime tells about the process, under the names that
// Prometheus' own client gives them.
var readings = []struct{ name, kind, help, from string }{
	{"go_goroutines", "gauge", "Goroutines.", "/sched/goroutines:goroutines"},
	{"go_memstats_heap_alloc_bytes", "gauge", "Heap memory in use by objects.", "/memory/classes/heap/objects:bytes"},
	{"go_memstats_sys_bytes", "gauge", "Memory taken from the operating system.", "/memory/classes/total:bytes"},
	{"go_gc_cycles_total", "counter", "Completed garbage collections.", "/gc/cycles/total:gc-cycles"},
}

// writeProcess writes the metrics of the process, as opposed to those of the rooms.
func writeProcess(w io.Writer) error {
	samples := make([]metrics.Sample, len(readings))
	for n, r := range readings {
		samples[n].Name = r.from
	}
	metrics.Read(samples)
	for n, r := range readings {
		if samples[n].Value.Kind() != metrics.KindUint64 {
			continue // this version of Go does not have it
		}
		if _, err := fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", r.name, r.help, r.name, r.kind, r.name, samples[n].Value.Uint64()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, `# HELP process_start_time_seconds When the process began, in Unix time.
# TYPE process_start_time_seconds gauge
process_start_time_seconds %.3f
# HELP go_info The version of Go that the program was built with.
# TYPE go_info gauge
go_info{version=%q} 1
`, float64(begun.UnixMilli())/1000, runtime.Version())
	return err
}
