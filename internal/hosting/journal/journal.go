package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Limits of a journal.
const (
	segments   = 8       // files that its size is spread over: at most an eighth is lost too early
	minSegment = 1 << 12 // bytes
	maxText    = 16 << 10
	followers  = 64
	backlog    = 1024 // lines that a follower may be behind
)

// ErrTooMany says that so many follow already that nobody else may.
var ErrTooMany = errors.New("too many follow this log")

// Options of a journal, which can be changed while it is in use.
type Options struct {
	Bytes int64         // kept
	Age   time.Duration // kept
	Rate  int           // lines per second that are kept; what is above is counted
}

// Journal is the log of one app. Its methods are safe for concurrent use.
type Journal struct {
	// set before the first line, then read-only
	dir      string
	now      func() time.Time
	Problems func(error) // is told why lines are not kept; it is called while the journal is locked

	mu      sync.Mutex // guards what follows
	opts    Options
	file    *os.File // nil before the first line and after a fault
	size    int64
	begun   time.Time
	second  time.Time // in which lines are counted
	count   int
	dropped int
	follow  map[*Follower]struct{}
	closed  bool
}

// Open uses a folder, which is made if need be.
func Open(dir string, o Options) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	j := &Journal{dir: dir, now: time.Now, opts: o, follow: make(map[*Follower]struct{}), Problems: func(error) {}}
	return j, nil
}

// Set changes the options.
func (j *Journal) Set(o Options) {
	j.mu.Lock()
	j.opts = o
	j.mu.Unlock()
	j.Prune()
}

// Add keeps a line and tells it, unless there are too many. A zero time is now. It does not block for followers.
func (j *Journal) Add(l api.LogLine) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	now := j.now()
	if l.Time.IsZero() {
		l.Time = now
	}
	l.Time = l.Time.UTC()
	if j.admit(now, l.Kind) {
		j.put(l)
	}
}

// admit counts a line. What was too much in a second that is over is told before it.
func (j *Journal) admit(now time.Time, kind string) bool {
	if kind == api.KindHost {
		return true // few, and worth more than others
	}
	if second := now.Truncate(time.Second); !second.Equal(j.second) {
		j.tellDropped()
		j.second, j.count = second, 0
	}
	if j.count++; j.count > j.opts.Rate {
		j.dropped++
		return false
	}
	return true
}

func (j *Journal) tellDropped() {
	if j.dropped > 0 {
		j.put(api.LogLine{Time: j.second.UTC(), Kind: api.KindDropped, Count: j.dropped, Message: fmt.Sprintf("%d lines in this second were too many and are not here", j.dropped)})
	}
	j.dropped = 0
}

func (j *Journal) put(l api.LogLine) {
	if len(l.Message) > maxText {
		l.Message = strings.ToValidUTF8(l.Message[:maxText], "") + "…"
	}
	for f := range j.follow {
		f.tell(l)
	}
	l.Headers = nil
	data, err := json.Marshal(l)
	if err == nil {
		err = j.write(append(data, '\n'))
	}
	if err != nil {
		j.Problems(fmt.Errorf("keep a line of the log: %w", err))
	}
}

func (j *Journal) write(data []byte) error {
	now := j.now()
	if j.file != nil && (j.size+int64(len(data)) > j.segmentSize() || now.Sub(j.begun) > 24*time.Hour) {
		if err := j.shut(); err != nil {
			return err
		}
		if err := j.prune(now); err != nil {
			return err
		}
	}
	if j.file == nil {
		name := now.UTC().Format(segmentTime) + segmentEnd
		file, err := os.OpenFile(filepath.Join(j.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		info, err := file.Stat()
		if err != nil {
			return errors.Join(err, file.Close())
		}
		j.file, j.size, j.begun = file, info.Size(), now
	}
	n, err := j.file.Write(data)
	j.size += int64(n)
	if err != nil {
		return errors.Join(err, j.shut()) // the next line begins another file, not in the middle of this one
	}
	return nil
}

func (j *Journal) shut() error {
	file := j.file
	j.file, j.size = nil, 0
	return file.Close()
}

func (j *Journal) segmentSize() int64 { return max(j.opts.Bytes/segments, minSegment) }

// Names of files sort by time.
const (
	segmentTime = "20060102T150405.000000000"
	segmentEnd  = ".ndjson"
)

// list names the files, oldest first.
func (j *Journal) list() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(j.dir, "*"+segmentEnd))
	slices.Sort(names)
	return names, err
}

// Prune removes what is too old or too much. It is called now and then, for logs that nothing is added to.
func (j *Journal) Prune() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.prune(j.now()); err != nil {
		j.Problems(fmt.Errorf("remove old files of the log: %w", err))
	}
}

func (j *Journal) prune(now time.Time) error {
	names, err := j.list()
	if err != nil {
		return err
	}
	var total int64
	for n := len(names) - 1; n >= 0; n-- {
		current := j.file != nil && names[n] == j.file.Name()
		info, statErr := os.Stat(names[n])
		if statErr != nil {
			err = errors.Join(err, statErr)
			continue
		}
		if !current && (total+info.Size() > j.opts.Bytes || now.Sub(info.ModTime()) > j.opts.Age) {
			err = errors.Join(err, os.Remove(names[n]))
			continue
		}
		total += info.Size()
	}
	return err
}

// Close ends the log. Who follows is told that it is over.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.tellDropped()
	j.closed = true
	for f := range j.follow {
		close(f.lines)
	}
	clear(j.follow)
	if j.file == nil {
		return nil
	}
	return j.shut()
}
