package admin

import (
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The standard library's net/http/pprof is not used: importing it puts profiles on http.DefaultServeMux,
// which programs that mount a Server may well serve to everybody.

// maxProfile bounds a profile over time.
const maxProfile = 5 * time.Minute

// listProfiles lists what there is.
func listProfiles(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	lines := []string{"profile?seconds=30", "trace?seconds=1"}
	for _, p := range pprof.Profiles() {
		lines = append(lines, p.Name()+"?debug=1")
	}
	slices.Sort(lines)
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}

// serveProfile answers with one profile: of the CPU over some seconds, a trace, or one of the runtime's own.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	name := r.PathValue("name")
	debug, _ := strconv.Atoi(r.FormValue("debug")) // 0 if there is no number
	w.Header().Set("Content-Type", "application/octet-stream")
	switch name {
	case "profile":
		record(w, r, 30*time.Second, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
		return
	case "trace":
		record(w, r, time.Second, func() error { return trace.Start(w) }, trace.Stop)
		return
	}
	p := pprof.Lookup(name)
	if p == nil {
		http.Error(w, "there is no such profile; /debug/pprof/ lists them", http.StatusNotFound)
		return
	}
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = p.WriteTo(w, debug) // whoever asked has gone, if it fails
}

// record runs what is recorded over time for the seconds that are asked for.
func record(w http.ResponseWriter, r *http.Request, usual time.Duration, start func() error, stop func()) {
	length := usual
	if s := r.FormValue("seconds"); s != "" {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !(n > 0 && n <= maxProfile.Seconds()) {
			http.Error(w, fmt.Sprintf("seconds must be a number, at most %v", maxProfile.Seconds()), http.StatusBadRequest)
			return
		}
		length = time.Duration(n * float64(time.Second))
	}
	if err := start(); err != nil {
		http.Error(w, "another one is being recorded: "+err.Error(), http.StatusConflict)
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), length)
	defer cancel()
	<-ctx.Done()
}
