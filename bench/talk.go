package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// talk is a socket of the chat that says a number every few milliseconds and
// checks that each comes back once, in order, with the version of the code that answered.
type talk struct {
	ws   *websocket.Conn
	stop chan struct{}
	done sync.WaitGroup

	mu       sync.Mutex
	said     []time.Time // by number
	heard    int         // numbers that have come back
	wait     time.Duration
	expected string
	answered chan answer // of capacity 1; nil when nothing is expected
	err      error
}

// answer is the first one of an expected version.
type answer struct {
	at   time.Time
	wait time.Duration // longest time that a number has waited since expect
	err  error
}

const sayEvery = 5 * time.Millisecond

func dialTalk(ctx context.Context, url string) (*talk, error) {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	t := &talk{ws: ws, stop: make(chan struct{})}
	t.done.Go(t.speak)
	t.done.Go(t.listen)
	return t, nil
}

// expect returns a channel that gets the first answer of that version, or the
// error that ended the talk.
func (t *talk) expect(version string) <-chan answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expected, t.wait, t.answered = version, 0, make(chan answer, 1)
	if t.err != nil {
		t.answered <- answer{err: t.err}
	}
	return t.answered
}

// close ends the talk. Its error is what went wrong before.
func (t *talk) close() error {
	close(t.stop)
	t.ws.Close()
	t.done.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *talk) fail(err error) {
	select {
	case <-t.stop:
		return // it was closed
	default:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.err = err
	if t.answered != nil {
		t.answered <- answer{err: err}
		t.answered = nil
	}
}

func (t *talk) speak() {
	tick := time.NewTicker(sayEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-t.stop:
			return
		}
		t.mu.Lock()
		text := fmt.Sprint(len(t.said))
		t.said = append(t.said, time.Now())
		t.mu.Unlock()
		if err := t.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.fail(err)
			return
		}
	}
}

func (t *talk) listen() {
	for {
		_, data, err := t.ws.ReadMessage()
		if err == nil {
			err = t.hear(data, time.Now())
		}
		if err != nil {
			t.fail(err)
			return
		}
	}
}

// hear takes a frame of the chat template.
func (t *talk) hear(data []byte, now time.Time) error {
	var f struct {
		Type string
		Line struct{ Text string }
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if f.Type != "line" {
		if f.Type == "refused" {
			return errors.New("the chat refused a line")
		}
		return nil
	}
	var number int
	var version string
	if _, err := fmt.Sscan(f.Line.Text, &number, &version); err != nil {
		return fmt.Errorf("got line %q: %w", f.Line.Text, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if number != t.heard || number >= len(t.said) {
		return fmt.Errorf("got line %d, want %d: a message was lost, repeated or overtaken", number, t.heard)
	}
	t.heard++
	t.wait = max(t.wait, now.Sub(t.said[number]))
	if version == t.expected && t.answered != nil {
		t.answered <- answer{at: now, wait: t.wait}
		t.answered = nil
	}
	return nil
}
