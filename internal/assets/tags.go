package assets

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"sync"
	"time"
)

// maxTags bounds the ETags that are remembered: more files than that are unusual, and then some are hashed again.
const maxTags = 10000

// tags remembers the ETags of files. A file is read for it once, and again when its
// size or its modification time has changed. One without a modification time, as embedded ones are, never changes.
type tags struct {
	mu     sync.Mutex // guards what follows
	byName map[string]*tag
}

// settling is how long after a change a file may change again with the same modification time, as some
// file systems count in seconds.
const settling = 2 * time.Second

type tag struct {
	size    int64
	changed time.Time

	once  sync.Once
	value string
	err   error
}

// of returns the ETag of a file, which is at its beginning before and after. Several callers
// that ask for the same new file at once wait for one of them to read it.
func (t *tags) of(name string, info fs.FileInfo, file io.ReadSeeker) (string, error) {
	found := new(tag)
	if age := time.Since(info.ModTime()).Abs(); age > settling {
		found = t.entry(name, info)
	}
	found.once.Do(func() {
		if found.value, found.err = tagOf(file); found.err == nil {
			_, found.err = file.Seek(0, io.SeekStart)
		}
	})
	if found.err != nil {
		t.forget(name, found)
	}
	return found.value, found.err
}

func (t *tags) entry(name string, info fs.FileInfo) *tag {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.byName[name]
	if found == nil || found.size != info.Size() || !found.changed.Equal(info.ModTime()) {
		if t.byName == nil || len(t.byName) >= maxTags {
			t.byName = make(map[string]*tag)
		}
		found = &tag{size: info.Size(), changed: info.ModTime()}
		t.byName[name] = found
	}
	return found
}

// forget has the next caller try again.
func (t *tags) forget(name string, failed *tag) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName[name] == failed {
		delete(t.byName, name)
	}
}

// tagOf makes an ETag of content: strong, as the same content has the same one everywhere.
func tagOf(content io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, content); err != nil {
		return "", err
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`, nil
}
