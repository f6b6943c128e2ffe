package party

import (
	"slices"
	"sync"
	"sync/atomic"
)

// startWaits knows which rooms of a host wait in OnStart for calls to others. A call that would wait
// for a room that waits for one of its callers would never end: a room takes nothing while it starts.
type startWaits struct {
	some atomic.Int32 // how many calls are noted: mostly none

	mu    sync.Mutex
	calls map[string][]string // by the room that starts: the rooms that it has called
}

// begin notes that a chain of calls, ending with the caller, goes on to target. starting says that the caller
// is in its OnStart. It returns the way by which target waits for a room of the chain, if it
// does, and else what to do when the call has ended.
func (w *startWaits) begin(via []string, target string, starting bool) (circle []string, end func()) {
	if !starting && w.some.Load() == 0 {
		return nil, func() {}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var waiting []string // rooms of the chain that are in their OnStart
	for n, room := range via {
		if w.calls[room] != nil || starting && n == len(via)-1 {
			waiting = append(waiting, room)
		}
	}
	if len(waiting) == 0 {
		return nil, func() {}
	}
	if circle = w.way(target, waiting, nil); circle != nil {
		return circle, nil
	}
	if w.calls == nil {
		w.calls = make(map[string][]string)
	}
	w.some.Add(1)
	for _, room := range waiting {
		w.calls[room] = append(w.calls[room], target)
	}
	return nil, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.some.Add(-1)
		for _, room := range waiting {
			at := slices.Index(w.calls[room], target)
			if w.calls[room] = slices.Delete(w.calls[room], at, at+1); len(w.calls[room]) == 0 {
				delete(w.calls, room)
			}
		}
	}
}

// way finds how a room waits for one of others. Called with mu held.
func (w *startWaits) way(from string, to, before []string) []string {
	if slices.Contains(before, from) {
		return nil
	}
	path := append(slices.Clip(before), from)
	if slices.Contains(to, from) {
		return path
	}
	for _, next := range w.calls[from] {
		if found := w.way(next, to, path); found != nil {
			return found
		}
	}
	return nil
}
