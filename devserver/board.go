package devserver

import (
	"fmt"
	"sync"
	"time"
)

// board is where the present status stands. It is safe for concurrent use.
type board struct {
	id string // of this run

	mu      sync.Mutex
	status  Status        // guarded by mu; not to be modified
	assets  int           // guarded by mu
	reload  *ReloadMillis // guarded by mu
	changed chan struct{} // guarded by mu; closed and replaced with every change
}

func newBoard() *board {
	b := &board{id: fmt.Sprintf("%x", time.Now().UnixNano()), changed: make(chan struct{})}
	b.post(Status{Phase: "building", Problems: []Problem{}})
	return b
}

// post replaces the status, except what assetsChanged and reloaded have said.
func (b *board) post(s Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Assets, s.Reload = fmt.Sprintf("%s-%d", b.id, b.assets), b.reload
	b.status = s
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) assetsChanged() {
	b.mu.Lock()
	b.assets++
	s := b.status
	b.mu.Unlock()
	b.post(s)
}

func (b *board) reloaded(r *Reload) {
	b.mu.Lock()
	b.reload = millis(r)
	s := b.status
	b.mu.Unlock()
	b.post(s)
}

// read returns the status, and a channel that is closed when it is outdated.
func (b *board) read() (Status, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status, b.changed
}
