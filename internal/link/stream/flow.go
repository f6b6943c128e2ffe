package stream

import (
	"errors"
	"slices"
	"sync"
)

// A streamed response is sent no further than windowSize bytes ahead of its reader, in chunks.
const (
	windowSize = 256 << 10
	chunkSize  = 32 << 10
)

// inbox holds what has arrived for one waiting goroutine. put never blocks.
type inbox[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // holds one token when something was put
}

func newInbox[T any]() *inbox[T] { return &inbox[T]{ready: make(chan struct{}, 1)} }

func (i *inbox[T]) put(item T) {
	i.mu.Lock()
	i.items = append(i.items, item)
	i.mu.Unlock()
	select {
	case i.ready <- struct{}{}:
	default:
	}
}

func (i *inbox[T]) poll() (item T, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.items) == 0 {
		return item, false
	}
	item = i.items[0]
	i.items = slices.Delete(i.items, 0, 1)
	return item, true
}

// take waits for an item. False means that one of the channels, either of which may be
// nil, was closed first and nothing is left.
func (i *inbox[T]) take(gone, done <-chan struct{}) (item T, ok bool) {
	for {
		if item, ok = i.poll(); ok {
			return item, true
		}
		select {
		case <-i.ready:
		case <-gone:
			return i.poll()
		case <-done:
			return i.poll()
		}
	}
}

// errStopped says that a response is not wanted any more.
var errStopped = errors.New("the response is not read any more")

// window bounds how far a sender is ahead of the reader of its response.
type window struct {
	mu    sync.Mutex
	left  int
	ready chan struct{} // holds one token when there is something left
}

func newWindow() *window {
	return &window{left: windowSize, ready: make(chan struct{}, 1)}
}

// grant is told how much the reader has taken. More than was sent is ignored.
func (w *window) grant(n uint64) {
	w.mu.Lock()
	w.left += int(min(n, uint64(windowSize-w.left)))
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// take waits until something may be sent and returns how much, at most want.
func (w *window) take(want int, gone, done <-chan struct{}) (int, error) {
	for {
		w.mu.Lock()
		n := min(want, w.left)
		w.left -= n
		w.mu.Unlock()
		if n > 0 || want == 0 {
			return n, nil
		}
		select {
		case <-w.ready:
		case <-gone:
			return 0, errStopped
		case <-done:
			return 0, errStopped
		}
	}
}
