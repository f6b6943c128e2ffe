package supervise

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxTail is how many bytes of a host's output are kept for its obituary.
const maxTail = 2 << 10

// tail passes a log on and keeps its end, or the beginning of the panic in it: a stack
// can be long, and what matters stands first.
type tail struct {
	pass io.Writer // may be nil

	mu    sync.Mutex // guards what follows
	last  []byte
	panic bool // last begins with a panic and is not cut at the front any more
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.keep(b)
	t.mu.Unlock()
	if t.pass != nil {
		_, _ = t.pass.Write(b) // a log that nobody takes must not end the host
	}
	return len(b), nil
}

func (t *tail) keep(b []byte) {
	if t.panic {
		t.last = append(t.last, b[:min(len(b), maxTail-len(t.last))]...)
		return
	}
	t.last = append(t.last, b...)
	for _, word := range []string{"panic: ", "fatal error: "} {
		if at := bytes.LastIndex(t.last, []byte(word)); at == 0 || at > 0 && t.last[at-1] == '\n' {
			t.last, t.panic = t.last[at:], true
			t.last = t.last[:min(len(t.last), maxTail)]
			return
		}
	}
	if n := len(t.last) - maxTail; n > 0 {
		t.last = append(t.last[:0], t.last[n:]...)
	}
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.last), ""))
}
