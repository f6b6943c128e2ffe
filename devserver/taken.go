package devserver

import (
	"bytes"
	"os"
	"sync"
)

// taken is the content of the manifest that the newest build goes by. A build may write the manifest itself, to record
// a new party; that it has is no reason for another build.
type taken struct {
	mu   sync.Mutex
	data []byte // guarded by mu
}

// read takes the content of a file that is about to be loaded. What cannot be read is nothing.
func (t *taken) read(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data, _ = os.ReadFile(path)
}

// while takes what write says that it has written, if it is not nil. Until then there is no news.
func (t *taken) while(write func() []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if data := write(); data != nil {
		t.data = data
	}
}

// news reports whether the file is not what was taken.
func (t *taken) news(path string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	data, err := os.ReadFile(path)
	return err != nil || !bytes.Equal(data, t.data)
}
