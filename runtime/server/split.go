//go:build !party_host

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	"github.com/goparty-dev/party/internal/release"
	"github.com/goparty-dev/party/internal/supervise"
	"github.com/goparty-dev/party/runtime/storage"
)

// versionsFolder is where versions are kept below a data folder.
const versionsFolder = "versions"

// splitOptions make a server a platform alone, with its host in a process of its own.
type splitOptions struct {
	probation time.Duration
	crashes   int
	logFormat string // of the host, as of the platform
	restarted bool   // this process was another version before, and is meant to be this one
	// vars are what rooms see as their environment under a version's manifest.
	vars func(*manifest.Manifest) (map[string]any, error)
}

// split is the part of a server that has its host in another process.
type split struct {
	// set before it runs, then read-only
	opts       *splitOptions
	log        *slog.Logger
	dataDir    string
	folder     *release.Folder
	store      storage.Store
	platform   *platform.Platform
	supervisor *supervise.Supervisor
	manifest   *manifest.Manifest // what the platform was made with
	idle       time.Duration
	assets     swappable
	restarts   chan *release.Release // one place: the version to restart the platform with

	mu     sync.Mutex // guards what follows
	record release.Record
	before release.Record // as this start has found it
	adding map[string]int // versions that are on their way into the history
}

// start takes the stored data to the version that is to serve, makes the platform and starts the host.
func (sp *split) start(o platform.Options, own *release.Release, migrations []storage.Migration) error {
	ctx := context.Background()
	moved, err := sp.migrateAtStart(ctx, migrations)
	if err != nil {
		return err
	}
	sp.mu.Lock()
	top := &sp.record.Versions[len(sp.record.Versions)-1]
	top.Moved = top.Moved || moved && len(sp.record.Versions) > 1
	sp.mu.Unlock()
	if err := sp.save(); err != nil {
		return err
	}
	sp.assets.set(own.Assets())
	o.Assets = &sp.assets
	o.Observer.HandedOver = func(sum platform.HandOver) { sp.supervisor.HandedOver(sum) }
	o.Observer.Migrated = func(room storage.Room, reason string) { sp.supervisor.Migrated(room, reason) }
	if sp.platform, err = platform.New(o); err != nil {
		return err
	}
	sp.supervisor = supervise.New(supervise.Options{
		Platform: sp.platform, Logger: sp.log, Env: sp.hostEnv(), Output: os.Stderr,
		History: sp.history(), Probation: sp.opts.probation, Crashes: sp.opts.crashes,
		Init: sp.init, Prepare: sp.prepare, Adopted: sp.adopted, Record: sp.recorded,
	})
	if err := sp.supervisor.Start(ctx); err != nil {
		err = errors.Join(fmt.Errorf("start the host: %w", err), sp.platform.Shutdown(ctx))
		if !moved {
			err = errors.Join(err, sp.folder.Save(sp.before)) // nobody can go back to a version that never served
		}
		return err
	}
	return nil
}

// hostEnv is the environment of hosts. The service manager is the platform's to talk to.
func (sp *split) hostEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, notifySocket+"=") || strings.HasPrefix(s, logEnv+"=")
	})
	return append(env, logEnv+"="+sp.opts.logFormat)
}

// close ends the host and what is asked of it. It may be called on nil.
func (sp *split) close(ctx context.Context) {
	if sp != nil {
		sp.supervisor.Stop(ctx)
	}
}

// history is the record's versions as the supervisor takes them: those that are there.
func (sp *split) history() []supervise.Entry {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	var out []supervise.Entry
	for _, v := range sp.record.Versions {
		r, err := sp.folder.Get(v.ID)
		if err != nil {
			sp.log.Warn("a version before this one is lost", "version", v.ID, "err", err)
			out = nil // nor can anybody go back beyond it
			continue
		}
		out = append(out, supervise.Entry{Version: version(r), Proven: v.Proven, Moved: v.Moved})
	}
	return out
}

func version(r *release.Release) supervise.Version {
	return supervise.Version{ID: r.ID, Binary: r.Binary()}
}

// recorded keeps the history for the next start.
func (sp *split) recorded(history []supervise.Entry) {
	sp.mu.Lock()
	sp.record.Versions = nil
	for _, e := range history {
		sp.record.Versions = append(sp.record.Versions, release.Served{ID: e.ID, Proven: e.Proven, Moved: e.Moved})
	}
	sp.mu.Unlock()
	if err := sp.save(); err != nil {
		sp.log.Error("the next start will not know which version serves", "err", err)
	}
}

func (sp *split) save() error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.folder.Save(sp.record)
}

// manifestOf reads what a version was built with.
func manifestOf(r *release.Release) (*manifest.Manifest, error) {
	if r.Manifest == nil {
		return manifest.Default(), nil
	}
	m, list := manifest.Parse("party.json", r.Manifest)
	if list.HasErrors() {
		return nil, fmt.Errorf("the manifest in version %s: %w", r.ID, list)
	}
	return m, nil
}

// init is what a host of a version is told.
func (sp *split) init(v supervise.Version) (stream.Init, error) {
	init := stream.Init{IdleAfter: sp.idle}
	r, err := sp.folder.Get(v.ID)
	if err != nil {
		return init, err
	}
	m, err := manifestOf(r)
	if err != nil {
		return init, err
	}
	vars, err := sp.opts.vars(m)
	if err != nil {
		return init, err
	}
	if len(vars) > 0 {
		if init.Vars, err = json.Marshal(vars); err != nil {
			return init, errors.New("the variables cannot be encoded as JSON") // without their values
		}
	}
	return init, nil
}

// prepare takes the store to a version that is newer than it.
func (sp *split) prepare(ctx context.Context, v supervise.Version, _ link.Info) (moved bool, err error) {
	r, err := sp.folder.Get(v.ID)
	if err != nil {
		return false, err
	}
	return sp.migrate(ctx, r)
}

func (sp *split) adopted(v supervise.Version) {
	if r, err := sp.folder.Get(v.ID); err == nil {
		sp.assets.set(r.Assets())
	}
}

// swappable is a file system that can become another one. It is safe for concurrent use.
type swappable struct{ now atomic.Pointer[fs.FS] }

// set changes the file system; nil has no files.
func (s *swappable) set(files fs.FS) { s.now.Store(&files) }

// Open implements fs.FS.
func (s *swappable) Open(name string) (fs.File, error) {
	if files := s.now.Load(); files != nil && *files != nil {
		return (*files).Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// newSplit makes a server whose host is a process of its own.
func newSplit(c *config) (*Server, error) {
	if c.dataDir == "" || c.platform.Store != nil {
		return nil, errors.New("server: --upgradable needs a data folder: name one with --data")
	}
	sp := &split{opts: c.split, log: c.platform.Logger, dataDir: c.dataDir, idle: c.platform.Limits.Idle, adding: make(map[string]int), restarts: make(chan *release.Release, 1)}
	if sp.log == nil {
		sp.log = slog.Default()
	}
	var err error
	if sp.folder, err = release.At(filepath.Join(c.dataDir, versionsFolder)); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	// Before the store is opened, which may be too new for this program.
	if !sp.opts.restarted {
		if err := sp.giveWay(); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	s := &Server{split: sp, owned: true}
	if s.store, err = openStore(c.dataDir); err != nil {
		return nil, err
	}
	sp.store, c.platform.Store = s.store, s.store
	own, err := sp.enter()
	if err == nil {
		sp.manifest, err = manifestOf(own)
	}
	if err == nil {
		err = sp.start(c.platform, own, c.app.Migrations)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server: %w", err), s.closeStore())
	}
	s.platform = sp.platform
	return s, nil
}
