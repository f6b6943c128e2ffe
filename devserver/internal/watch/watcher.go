package watch

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Change is a set of files whose content is not what it was.
type Change struct {
	Paths []string  // sorted
	At    time.Time // when the first of them was noticed
}

// Options of a watcher; the zero value is good.
type Options struct {
	// Poll is how often all files are looked at, in case that a notification is missing.
	// It is stretched when that takes long. Default 1 s.
	Poll time.Duration
	// Settle is how long a file may be empty or missing before that counts
	// as a change: editors truncate or move a file away before they write. Default 50 ms.
	Settle time.Duration
	// Warn is told, at most once, that the system refuses to notify; the
	// watcher then depends on Poll. It must not block.
	Warn func(error)
	// PollOnly asks for no notification.
	PollOnly bool
}

// Watcher watches one set at a time. Its methods may be called from any
// goroutine until Close.
type Watcher struct {
	// set by New, then read-only
	opts    Options
	changes chan Change
	sets    chan request
	stop    chan struct{}
	stopped chan struct{}
	notify  *fsnotify.Watcher // nil: not available

	// owned by run
	set       Set
	known     map[string]content
	watched   map[string]bool
	unsettled map[string]time.Time // when to look again
	pending   map[string]bool
	since     time.Time // of pending
	warned    bool
}

type request struct {
	set   Set
	since time.Time
	done  chan struct{}
}

// New starts a watcher of nothing.
func New(opts Options) *Watcher {
	if opts.Poll <= 0 {
		opts.Poll = time.Second
	}
	if opts.Settle <= 0 {
		opts.Settle = 50 * time.Millisecond
	}
	w := &Watcher{
		opts: opts, changes: make(chan Change), sets: make(chan request),
		stop: make(chan struct{}), stopped: make(chan struct{}),
		known: map[string]content{}, watched: map[string]bool{}, unsettled: map[string]time.Time{}, pending: map[string]bool{},
	}
	if !opts.PollOnly {
		var err error
		if w.notify, err = fsnotify.NewWatcher(); err != nil {
			w.warn(err)
		}
	}
	go w.run()
	return w
}

// Changes delivers what has changed. It is never closed.
func (w *Watcher) Changes() <-chan Change { return w.changes }

// Watch replaces the set and returns when it is being watched. Files that were not
// in the set before are reported if they were modified after since; the zero time stands for now.
func (w *Watcher) Watch(set Set, since time.Time) {
	req := request{set: set, since: since, done: make(chan struct{})}
	select {
	case w.sets <- req:
		<-req.done
	case <-w.stopped:
	}
}

// Close ends the watcher and waits for it.
func (w *Watcher) Close() error {
	close(w.stop)
	<-w.stopped
	if w.notify != nil {
		return w.notify.Close()
	}
	return nil
}

func (w *Watcher) run() {
	defer close(w.stopped)
	var events chan fsnotify.Event
	var errs chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
	}
	poll := time.NewTimer(w.opts.Poll)
	defer poll.Stop()
	settle := time.NewTimer(w.opts.Settle)
	defer settle.Stop()
	for {
		var out chan Change
		var change Change
		if len(w.pending) > 0 {
			out, change = w.changes, Change{Paths: slices.Sorted(maps.Keys(w.pending)), At: w.since}
		}
		select {
		case <-w.stop:
			return
		case out <- change:
			clear(w.pending)
		case req := <-w.sets:
			w.replace(req)
			close(req.done)
		case ev := <-events:
			w.event(ev)
		case <-errs: // the queue has overflowed, most likely
			w.sweep()
		case <-poll.C:
			start := time.Now()
			w.sweep()
			poll.Reset(max(w.opts.Poll, 50*time.Since(start)))
		case <-settle.C:
			w.settled()
		}
		if at, ok := w.next(); ok {
			settle.Reset(time.Until(at))
		}
	}
}

func (w *Watcher) replace(req request) {
	before := w.set
	w.set = req.set
	maps.DeleteFunc(w.known, func(path string, _ content) bool { return !w.set.has(path) })
	maps.DeleteFunc(w.unsettled, func(path string, _ time.Time) bool { return !w.set.has(path) })
	w.walk(func(path string) {
		if _, ok := w.known[path]; ok || before.has(path) {
			w.examine(path, false)
			return
		}
		now := look(path)
		w.known[path] = now
		if !req.since.IsZero() && now.present && !now.generated && now.mod.After(req.since) {
			w.report(path)
		}
	})
	for dir := range w.watched {
		if !w.wants(dir) {
			delete(w.watched, dir)
			_ = w.notify.Remove(dir) // an error says that it is not watched any more
		}
	}
}

func (w *Watcher) event(ev fsnotify.Event) {
	path := filepath.Clean(ev.Name)
	if ev.Op == fsnotify.Chmod {
		return
	}
	if w.watched[path] && ev.Op.Has(fsnotify.Remove|fsnotify.Rename) {
		delete(w.watched, path)
	}
	if w.set.has(path) {
		w.examine(path, true)
	}
	// A folder has come, maybe with files in it.
	if ev.Op.Has(fsnotify.Create) && w.wants(path) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			w.sweep()
		}
	}
}

// sweep looks for whatever notification has missed.
func (w *Watcher) sweep() {
	seen := map[string]bool{}
	w.walk(func(path string) {
		seen[path] = true
		w.examine(path, false)
	})
	for path, c := range w.known {
		if c.present && !seen[path] {
			w.examine(path, false)
		}
	}
}

// examine compares a file with what is known of it. A notice is reason to
// read it even if its size and time are as they were: clocks of file systems are coarse.
func (w *Watcher) examine(path string, notice bool) {
	old := w.known[path]
	if !notice {
		if info, err := os.Stat(path); err == nil && old.fresh(info) {
			return
		}
	}
	now := look(path)
	if old.same(now) {
		w.known[path] = now
		delete(w.unsettled, path)
		return
	}
	if !now.present || now.size == 0 {
		at, waiting := w.unsettled[path]
		if !waiting {
			w.unsettled[path] = time.Now().Add(w.opts.Settle)
			return
		}
		if time.Now().Before(at) {
			return
		}
	}
	delete(w.unsettled, path)
	w.known[path] = now
	w.report(path)
}

func (w *Watcher) settled() {
	now := time.Now()
	for path, at := range w.unsettled {
		if !now.Before(at) {
			w.examine(path, true)
		}
	}
}

// next is when the first of the unsettled files has to be looked at again.
func (w *Watcher) next() (at time.Time, ok bool) {
	for _, t := range w.unsettled {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	return at, ok
}

func (w *Watcher) report(path string) {
	if len(w.pending) == 0 {
		w.since = time.Now()
	}
	w.pending[path] = true
}

func (w *Watcher) warn(err error) {
	if !w.warned && w.opts.Warn != nil {
		w.opts.Warn(err)
	}
	w.warned = true
}
