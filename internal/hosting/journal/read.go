package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Follower gets lines as they happen.
type Follower struct {
	journal *Journal
	lines   chan api.LogLine
	once    sync.Once

	missed int // guarded by the journal's mu
}

// Lines are what happens, until the log or the follower is closed. Who reads too slowly
// gets a line that says how many are missing.
func (f *Follower) Lines() <-chan api.LogLine { return f.lines }

// tell passes a line on without blocking.
func (f *Follower) tell(l api.LogLine) {
	if f.missed > 0 {
		gap := api.LogLine{Time: l.Time, Kind: api.KindDropped, Count: f.missed, Message: fmt.Sprintf("%d lines are missing: they came faster than they were read", f.missed)}
		select {
		case f.lines <- gap:
			f.missed = 0
		default:
		}
	}
	select {
	case f.lines <- l:
	default:
		f.missed++
	}
}

// Close ends the following.
func (f *Follower) Close() {
	f.once.Do(func() {
		f.journal.mu.Lock()
		defer f.journal.mu.Unlock()
		if _, there := f.journal.follow[f]; there {
			delete(f.journal.follow, f)
			close(f.lines)
		}
	})
}

// Past returns the last n lines that want accepts, oldest first. With follow, the follower gets exactly what comes
// after them, of all lines; else it is nil.
func (j *Journal) Past(n int, want func(*api.LogLine) bool, follow bool) ([]api.LogLine, *Follower, error) {
	j.mu.Lock()
	names, err := j.list()
	var current string
	size := j.size
	if j.file != nil {
		current = j.file.Name()
	}
	var f *Follower
	if err == nil && follow {
		if len(j.follow) >= followers {
			err = ErrTooMany
		} else {
			f = &Follower{journal: j, lines: make(chan api.LogLine, backlog)}
			if j.closed {
				close(f.lines)
			} else {
				j.follow[f] = struct{}{}
			}
		}
	}
	j.mu.Unlock()
	var out []api.LogLine
	for i := len(names) - 1; i >= 0 && err == nil && len(out) < n; i-- {
		limit := int64(-1)
		if names[i] == current {
			limit = size // what is behind it goes to the follower
		}
		out, err = lastOf(names[i], limit, n, want, out)
	}
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, nil, err
	}
	slices.Reverse(out)
	return out, f, nil
}

// lastOf adds lines of a file to out, newest first, until there are n.
func lastOf(name string, limit int64, n int, want func(*api.LogLine) bool, out []api.LogLine) ([]api.LogLine, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil // too old meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if limit >= 0 {
		in = io.LimitReader(file, limit)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	for len(data) > 0 && len(out) < n {
		data = bytes.TrimSuffix(data, []byte("\n"))
		at := bytes.LastIndexByte(data, '\n') + 1
		var l api.LogLine
		// A line that the disk had no room for is skipped.
		if json.Unmarshal(data[at:], &l) == nil && want(&l) {
			out = append(out, l)
		}
		data = data[:at]
	}
	return out, nil
}
