package party

import (
	"context"
	"sync"
)

// What may wait in an inbox before its sender is held back.
const (
	maxInboxBytes = 1 << 20
	messageCost   = 64 // of a message, beside its payload
)

// inbox holds messages for Receive. Adding to it never blocks, so that whoever adds learns of the
// client's end too; who has added too much waits afterwards.
type inbox struct {
	news  chan struct{} // holds a token when something was added
	space chan struct{} // holds a token when something was taken
	gone  chan struct{} // closed when the client is gone
	left  func()        // ends the function's context

	mu    sync.Mutex // guards what follows
	queue []Message
	bytes int
}

func newInbox(left func()) *inbox {
	return &inbox{news: make(chan struct{}, 1), space: make(chan struct{}, 1), gone: make(chan struct{}), left: left}
}

// add reports whether the sender must wait.
func (b *inbox) add(m Message) (full bool) {
	b.mu.Lock()
	b.queue = append(b.queue, m)
	b.bytes += m.Len() + messageCost
	full = b.bytes > maxInboxBytes
	b.mu.Unlock()
	notify(b.news)
	return full
}

// wait returns when there is space again, the client is gone, or ctx ends.
func (b *inbox) wait(ctx context.Context) {
	for {
		b.mu.Lock()
		full := b.bytes > maxInboxBytes
		b.mu.Unlock()
		if !full {
			return
		}
		select {
		case <-b.space:
		case <-b.gone:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (b *inbox) close() {
	close(b.gone)
	b.left()
}

func (b *inbox) take() (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return Message{}, false
	}
	m := b.queue[0]
	b.queue[0] = Message{}
	b.queue = b.queue[1:]
	b.bytes -= m.Len() + messageCost
	notify(b.space)
	return m, true
}

func (b *inbox) get(ctx context.Context) (Message, error) {
	for {
		gone := false
		select {
		case <-b.gone:
			gone = true
		default:
		}
		if m, ok := b.take(); ok { // also what came before the end
			return m, nil
		}
		if gone {
			return Message{}, ErrClosed
		}
		if err := ctx.Err(); err != nil {
			return Message{}, err
		}
		select {
		case <-b.news:
		case <-b.gone:
		case <-ctx.Done():
		}
	}
}

// notify puts a token into c unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
