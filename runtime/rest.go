package party

import (
	"sync"
	"time"
)

// restQueue drops rooms from memory that have been idle. It looks at each of them once in a
// period, which is the same for all: so they queue in the order in which they are due, one timer does
// for all, and a million rooms that fall idle at once are dropped one by one by one goroutine.
type restQueue struct {
	after time.Duration // set before the first room is added, then read-only

	mu          sync.Mutex // guards what follows, and resting of each instance; no turn is taken under it
	first, last *instance
	timer       *time.Timer
	armed       bool // the timer runs, or what it runs
}

// resting is an instance's place in the queue.
type resting struct {
	prev, next *instance
	queued     bool
	due        time.Time
}

// add has an instance looked at after a period.
func (q *restQueue) add(i *instance) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i.resting = resting{prev: q.last, queued: true, due: time.Now().Add(q.after)}
	if q.last == nil {
		q.first = i
	} else {
		q.last.next = i
	}
	q.last = i
	switch {
	case q.armed:
	case q.timer == nil:
		q.timer = time.AfterFunc(q.after, q.run)
	default:
		q.timer.Reset(q.after)
	}
	q.armed = true
}

// remove forgets an instance, if it is there.
func (q *restQueue) remove(i *instance) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i.queued {
		q.unlink(i)
	}
}

// unlink is called with mu held.
func (q *restQueue) unlink(i *instance) {
	if i.prev == nil {
		q.first = i.next
	} else {
		i.prev.next = i.next
	}
	if i.next == nil {
		q.last = i.prev
	} else {
		i.next.prev = i.prev
	}
	i.resting = resting{}
}

// run looks at all rooms that are due.
func (q *restQueue) run() {
	for i := q.take(); i != nil; i = q.take() {
		if !i.idleCheck() {
			q.add(i)
		}
	}
}

// take takes the first room that is due off the queue. When there is none, it has itself run again.
func (q *restQueue) take() *instance {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := q.first
	if i == nil {
		q.armed = false
		return nil
	}
	if wait := time.Until(i.due); wait > 0 {
		q.timer.Reset(wait)
		return nil
	}
	q.unlink(i)
	return i
}
