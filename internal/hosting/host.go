//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/hosting/access"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/journal"
	"github.com/goparty-dev/party/internal/hosting/vault"
	"github.com/goparty-dev/party/internal/snapshots"
)

// Host runs apps. Its methods are safe for concurrent use.
type Host struct {
	// set by New, then read-only
	opts      Options
	mode      mode
	log       *slog.Logger
	layout    layout
	lock      *os.File
	tokens    *access.Tokens
	vault     *vault.Vault
	attempts  *access.Limiter  // of wrong tokens, by address
	uploads   *access.Limiter  // by token
	elsewhere snapshots.Target // nil without Options.Snapshots
	running   context.Context  // ends with Shutdown
	stop      context.CancelFunc
	tasks     sync.WaitGroup

	naming sync.Mutex // held while host names are given

	mu      sync.Mutex // guards what follows
	apps    map[string]*app
	domains map[string]*app // by host name, those below Options.Domain too
	closed  bool
	at      string // port that clients use; of Options.Addr before it is listened on
}

// New opens a host's folders and starts its apps with the versions that they had. It does not wait for them.
func New(o Options) (_ *Host, err error) {
	m, err := o.complete()
	if err != nil {
		return nil, err
	}
	h := &Host{
		opts: o, mode: m, log: o.Logger, layout: layout{o.Data, o.Run},
		attempts: access.NewLimiter(10, 6*time.Second), uploads: access.NewLimiter(20, 30*time.Second),
		apps: make(map[string]*app), domains: make(map[string]*app),
	}
	if h.lock, err = h.layout.prepare(); err != nil {
		return nil, fmt.Errorf("open the host's folders: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.lock.Close())
		}
	}()
	if h.tokens, err = access.OpenTokens(h.layout.tokens()); err != nil {
		return nil, err
	}
	if h.vault, err = vault.Open(h.layout.key()); err != nil {
		return nil, err
	}
	if o.Snapshots != "" {
		if h.elsewhere, err = snapshots.Open(o.Snapshots); err != nil {
			return nil, err
		}
	}
	h.running, h.stop = context.WithCancel(context.Background())
	if err := h.load(); err != nil {
		h.stop()
		return nil, err
	}
	h.task(h.housekeeping)
	return h, nil
}

// load starts the apps that are there.
func (h *Host) load() error {
	entries, err := os.ReadDir(h.layout.apps())
	if err != nil {
		return fmt.Errorf("find the apps: %w", err)
	}
	var opened []*app
	for _, e := range entries {
		r, err := loadRecord(filepath.Join(h.layout.apps(), e.Name(), "app.json"))
		if errors.Is(err, fs.ErrNotExist) || err == nil && r.Name != e.Name() {
			h.log.Warn("this folder is no app's: it was being made or deleted", "folder", e.Name())
			continue
		}
		if err != nil {
			return err
		}
		a, err := h.open(r)
		if err != nil {
			return err
		}
		opened = append(opened, a)
	}
	for _, a := range opened {
		h.begin(a)
	}
	return nil
}

// open makes the app of a record, without starting anything.
func (h *Host) open(r *record) (*app, error) {
	a := &app{
		host: h, name: r.Name, place: h.layout.place(r.Name, r.Slot), rec: r,
		ended: make(chan struct{}), busy: make(chan struct{}, 1), aimed: make(chan struct{}), turned: make(chan struct{}), state: api.Stopped,
	}
	switch {
	case h.opts.isolates() && r.User != 0:
		a.user = user{r.User}
	case r.User != 0:
		return nil, fmt.Errorf("app %s has files of user %d, and this host cannot act for others: start it as root", r.Name, r.User)
	}
	if err := a.place.prepare(a.user); err != nil {
		return nil, fmt.Errorf("open app %s: %w", r.Name, err)
	}
	var err error
	if a.log, err = journal.Open(a.place.logs(), a.logOptions()); err != nil {
		return nil, fmt.Errorf("open app %s: %w", r.Name, err)
	}
	a.log.Problems = func(err error) { h.log.Error("log of an app", "app", r.Name, "err", err) }
	a.transport = transport(a.place.socket())
	return a, nil
}

// begin makes an app one of the host's.
func (h *Host) begin(a *app) {
	ctx, end := context.WithCancel(h.running)
	a.end = end
	h.mu.Lock()
	h.apps[a.name] = a
	h.mu.Unlock()
	h.route()
	if r := a.record(); !*a.settings().Paused {
		if v, ok := r.find(r.Version); ok {
			a.run(v.Hash)
		}
	}
	if !h.task(func() { a.keep(ctx) }) {
		close(a.ended)
	}
}

// task does something that Shutdown waits for. It reports false, and does nothing, when the host is shutting down.
func (h *Host) task(do func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.tasks.Go(do)
	return true
}

// make adds an app.
func (h *Host) make(name string) (*app, error) {
	h.mu.Lock()
	_, there := h.apps[name]
	closed := h.closed
	users := make(map[int]bool)
	for _, a := range h.apps {
		users[a.user.id] = true
	}
	count := len(h.apps)
	h.mu.Unlock()
	switch {
	case closed:
		return nil, problem(api.CodeUnavailable, errStopped.Error(), "try again when it is back")
	case there:
		return nil, problem(api.CodeConflict, fmt.Sprintf("%s is there meanwhile", name), "deploy again")
	case count >= MaxApps:
		return nil, problem(api.CodeNoSpace, fmt.Sprintf("there are %d apps, which is the limit of this host", MaxApps), "delete some")
	}
	slot, err := h.layout.nextSlot()
	if err != nil {
		return nil, err
	}
	r := &record{Name: name, Slot: slot, Created: time.Now().UTC().Truncate(time.Second)}
	if h.opts.isolates() {
		if r.User, err = freeUser(h.opts.FirstUser, h.opts.Users, slot, users); err != nil {
			return nil, err
		}
	}
	a, err := h.open(r)
	if err != nil {
		return nil, err
	}
	if err := r.save(a.place.record()); err != nil {
		return nil, err
	}
	a.busy <- struct{}{} // the caller's
	h.begin(a)
	return a, nil
}

// MaxApps is how many apps a host has at most, previews included.
const MaxApps = 500

// freeUser is a user number that no app has. The first one of the range looks at programs that are nobody's yet.
func freeUser(first, n, slot int, taken map[int]bool) (int, error) {
	for i := range n - 1 {
		if id := first + 1 + (slot-1+i)%(n-1); !taken[id] {
			return id, nil
		}
	}
	return 0, problem(api.CodeNoSpace, fmt.Sprintf("all %d users for apps are taken", n-1), "start the host with more --users")
}

// app returns an app, or a problem.
func (h *Host) app(name string) (*app, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.apps[name]; a != nil {
		return a, nil
	}
	return nil, problem(api.CodeNotFound, fmt.Sprintf("there is no app %q", name), "")
}

// list returns the apps, by name.
func (h *Host) list() []*app {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*app
	for _, name := range slices.Sorted(maps.Keys(h.apps)) {
		list = append(list, h.apps[name])
	}
	return list
}

// Isolated reports whether apps run as users of their own.
func (h *Host) Isolated() bool { return h.opts.isolates() }

// Tokens are the host's tokens.
func (h *Host) Tokens() *access.Tokens { return h.tokens }

// housekeeping does what has to be done now and then.
func (h *Host) housekeeping() {
	ticks := time.NewTicker(time.Minute)
	defer ticks.Stop()
	last := time.Now()
	for {
		h.cleanUploads(last)
		for _, a := range h.list() {
			a.log.Prune()
		}
		select {
		case now := <-ticks.C:
			for _, a := range h.list() {
				a.scheduled(h.running, last, now)
			}
			last = now
		case <-h.running.Done():
			return
		}
	}
}

// Shutdown ends all apps in good order, which close their sockets with 1012, and returns when they have ended. Servers
// that use Handler should not get requests any more.
func (h *Host) Shutdown() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.tasks.Wait()
	var err error
	for _, a := range h.list() {
		err = errors.Join(err, a.log.Close())
	}
	return errors.Join(err, h.lock.Close())
}
