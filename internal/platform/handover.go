package platform

import (
	"sync"
	"time"
)

// handOver follows one change of host.
type handOver struct {
	told func(HandOver) // may be nil
	done chan struct{}

	mu      sync.Mutex // guards what follows
	pending int
	sum     HandOver
	armed   bool // all rooms have been added
}

func newHandOver(told func(HandOver)) *handOver {
	return &handOver{told: told, done: make(chan struct{})}
}

func (o *handOver) add(sessions int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending++
	o.sum.Rooms++
	o.sum.Sessions += sessions
}

// ready says that no more rooms will be added.
func (o *handOver) ready() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed = true
	o.finish()
}

// moved notes that one room has left, and since when its events have waited; the
// zero time for a room that was not held up.
func (o *handOver) moved(since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending--
	if !since.IsZero() {
		o.sum.Pause = max(o.sum.Pause, time.Since(since))
	}
	o.finish()
}

func (o *handOver) finish() {
	if !o.armed || o.pending > 0 {
		return
	}
	close(o.done)
	if o.told != nil {
		o.told(o.sum)
	}
}
