// Package probe is what both servers of the benchmark answer about themselves,
// under Path: how much memory they hold, and where their CPU goes.
//
// It is for those two programs, which listen on loopback and run for seconds.
// No server that others can reach may mount it.
package probe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
)

// Path is the prefix of everything that Handler answers.
const Path = "/_bench/"

// Live counts what the program wants counted: values that are not collected yet.
var Live atomic.Int64

// Memory is what Path + "memory" answers, after a garbage collection that
// gives free memory back to the system.
type Memory struct {
	Live       int64  // see the variable
	Heap       uint64 // bytes of live objects
	Stacks     uint64 // bytes
	Goroutines int
}

// profile is the running CPU profile.
var profile struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Handler answers Path + "memory", with a Memory in JSON; "heap", with a profile of
// what is in memory; "start", which begins a CPU profile; and "stop", which
// ends it and sends it.
func Handler(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, Path) {
	case "memory":
		json.NewEncoder(w).Encode(measure())
	case "heap":
		runtime.GC()
		w.Header().Set("Content-Type", "application/octet-stream")
		if err := pprof.WriteHeapProfile(w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	case "start":
		profile.mu.Lock()
		defer profile.mu.Unlock()
		profile.buf.Reset()
		if err := pprof.StartCPUProfile(&profile.buf); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case "stop":
		profile.mu.Lock()
		defer profile.mu.Unlock()
		pprof.StopCPUProfile()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(profile.buf.Bytes())
	default:
		http.NotFound(w, r)
	}
}

func measure() Memory {
	// Twice: what only a cleanup or a pool holds goes with the second one.
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{Live: Live.Load(), Heap: m.HeapAlloc, Stacks: m.StackInuse, Goroutines: runtime.NumGoroutine()}
}
