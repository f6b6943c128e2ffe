// Package sqlite keeps rooms in one SQLite file, for servers on one machine.
// It is pure Go.
//
// Commits of all rooms that wait at the same time go into one transaction,
// with one fsync. A commit is durable, in the face of power cuts too, when its
// done is called with nil. Until then reads take it from memory.
//
// The file can be read while the server runs, with the sqlite3 shell for
// instance: the view "storage" has party, room, key and value as text. It is
// not meant to be written by anything else.
//
// Beside the file, SQLite keeps two of its own (-wal and -shm), and the store
// a lock file (.lock), by which a second process finds it in use.
package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/goparty-dev/party/internal/shrink"
	"github.com/goparty-dev/party/runtime/storage"
)

// epochShift leaves room for 2^40 claims between two opens of a store, and
// for 2^24 opens.
const epochShift = 40

// Options configure a store. The zero value is ready to use.
type Options struct {
	// Logger is told what nobody is waiting to hear: that the write-ahead log
	// cannot be emptied. Default slog.Default().
	Logger *slog.Logger

	logPages int // see defaultLogPages; less in tests
}

// Store is a store in one SQLite file.
type Store struct {
	// set by Open, then read-only
	path    string
	lock    *os.File
	base    storage.Fence // of the fences since Open
	readers chan *reader  // those that are idle
	width   int           // how many readers there are
	closing chan struct{} // closed by Close
	settled chan struct{} // closed when every callback has run

	// owned by the committer
	writer *writer

	// groups counts settled groups. It changes under mu.
	groups atomic.Uint64

	mu     sync.Mutex
	wake   sync.Cond // on mu; the committer has something to do
	rooms  shrink.Map[storage.Room, *room]
	queue  []item // accepted, not yet taken by the committer
	spare  []item // an empty slice to be the next queue
	claims uint64
	closed bool
}

var _ storage.Store = (*Store)(nil)

// Open opens the store in the file at path and creates it, and the folder it is in, if
// need be. The store is the process's own until it is closed or the process ends.
//
// The error is [storage.ErrLocked] when another process has the store open, [storage.ErrReadOnly] when
// the process may not write the file or its folder, [storage.ErrCorrupt] when the file is damaged or something else, and
// [storage.ErrNewer] when this version is too old for it. In these cases nothing
// has been changed.
func Open(path string, opts Options) (*Store, error) {
	s, err := open(path, opts)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", path, err)
	}
	return s, nil
}

func open(path string, opts Options) (_ *Store, err error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.logPages == 0 {
		opts.logPages = defaultLogPages
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, deniedAs(err)
	}
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{
		path:    path,
		lock:    lock,
		width:   min(max(runtime.GOMAXPROCS(0), 2), 8),
		closing: make(chan struct{}),
		settled: make(chan struct{}),
	}
	s.wake.L = &s.mu
	s.readers = make(chan *reader, s.width)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()

	if err := inspect(path); err != nil {
		return nil, err
	}
	var epoch uint64
	if s.writer, epoch, err = openWriter(path, opts); err != nil {
		return nil, err
	}
	s.base = storage.Fence(epoch << epochShift)
	for range s.width {
		r, err := openReader(path)
		if err != nil {
			return nil, err
		}
		s.readers <- r
	}

	outcomes := make(chan []item, 1)
	go s.runCommitter(outcomes)
	go s.runSettler(outcomes)
	return s, nil
}

// Close implements [storage.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return storage.ErrClosed
	}
	s.closed = true
	close(s.closing)
	s.wake.Signal()
	s.mu.Unlock()

	<-s.settled
	var errs []error
	for range s.width {
		r := <-s.readers
		errs = append(errs, r.conn.Close())
	}
	if err := errors.Join(append(errs, s.release())...); err != nil {
		return fmt.Errorf("close store %q: %w", s.path, err)
	}
	return nil
}

// release gives back what no goroutine of the store uses any more.
func (s *Store) release() error {
	var errs []error
	for idle := true; idle; {
		select {
		case r := <-s.readers:
			errs = append(errs, r.conn.Close())
		default:
			idle = false
		}
	}
	if s.writer != nil {
		// As the last one to close, it empties the write-ahead log.
		errs = append(errs, s.writer.conn.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
