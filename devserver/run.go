package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/devserver/internal/console"
	"github.com/goparty-dev/party/devserver/internal/hostbuild"
	"github.com/goparty-dev/party/devserver/internal/watch"
	"github.com/goparty-dev/party/internal/platform"
	"github.com/goparty-dev/party/runtime/storage"
)

// Bounds of a shutdown, after which the rest is cut off.
const (
	closeTime = 2 * time.Second // for rooms to end their turns and OnClose
	quitTime  = 2 * time.Second // for what is left
)

// grace is how long an Await may go on when its room is handed over. It is shorter
// than in production: somebody waits for the new code.
const grace = 2 * time.Second

// Run serves the project until ctx ends or the user stops it, and returns
// nil then. It returns an error when it cannot begin: a diag.List for mistakes in
// the manifest or the variables, else one line that says what to do. A project
// that does not build is no reason to end.
func Run(ctx context.Context, o Options) error {
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	cfg, list := loadConfig(&o)
	if cfg == nil {
		return list.Sorted()
	}
	if o.Port == 0 && !o.PortExplicit {
		o.Port = cfg.manifest.Port
	}
	listeners, port, err := listen(ctx, o.Host, o.Port, o.PortExplicit)
	if err != nil {
		return err
	}
	operator, err := listenAdmin(ctx, o.Admin)
	if err != nil {
		return errors.Join(err, closeListeners(listeners))
	}
	if operator != nil {
		listeners = append(listeners, operator) // until it serves
	}
	s := &server{
		opts: o, console: console.New(o.Stdout), board: newBoard(), assets: new(assets), config: cfg, opened: cfg.manifest,
		events: make(chan event), handed: make(chan platform.HandOver, 1), done: make(chan struct{}),
		hosts: map[int]*hosted{}, builds: map[int]*build{},
		url: "http://" + net.JoinHostPort(shownHost(o.Host), fmt.Sprint(port)),
	}
	s.log = slog.New(slog.NewTextHandler(s.console, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	if s.cwd, err = os.Getwd(); err != nil {
		s.cwd = o.project()
	}
	store, where, err := openStore(&o, cfg.manifest, s.log)
	if err != nil {
		return errors.Join(err, closeListeners(listeners))
	}
	err = s.prepare(store)
	if err != nil {
		return errors.Join(err, closeListeners(listeners), store.Close())
	}
	if port != o.Port && o.Port != 0 {
		s.console.Line(s.console.Warn(fmt.Sprintf("port %d is taken, using %d", o.Port, port)))
	}
	s.banner(where)
	if len(list) > 0 {
		s.sayWarnings(list.Sorted())
	}
	if operator == nil {
		return errors.Join(s.serve(ctx, listeners), store.Close())
	}
	watched := serveAdmin(operator, s.platform)
	url := "http://" + operator.Addr().String()
	s.console.Line("admin      " + s.console.Link(url+"/metrics"))
	if o.AdminListening != nil {
		o.AdminListening(url)
	}
	return errors.Join(s.serve(ctx, listeners[:len(listeners)-1]), watched.Close(), store.Close())
}

// prepare makes everything that can fail before the first request.
func (s *server) prepare(store storage.Store) error {
	m := s.config.manifest
	s.assets.set(s.config.assetsDir())
	s.traffic = newTraffic(s.console)
	var err error
	s.platform, err = platform.New(platform.Options{
		Store: store, Logger: s.log, Limits: m.Limits, Prefix: m.Prefix, Dev: true,
		Assets: s.assets, SinglePageApp: m.Serve.SinglePageApp, EditHTML: addOverlay,
		CORS: m.CORS, Origins: m.Origins, TrustedProxies: m.TrustedProxies, Crons: m.Crons, Grace: grace,
		Observer: platform.Observer{
			Request: s.traffic.request, Joined: s.traffic.joined, Left: s.traffic.left,
			HandedOver: func(sum platform.HandOver) {
				select {
				case s.handed <- sum:
				default:
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("start the platform: %w", err)
	}
	s.builder, err = hostbuild.New(hostbuild.Options{
		Dir: s.opts.Dir, Out: buildFolder(s.opts.project()), Go: s.opts.Go, Env: hostEnv(), GoBuildOnly: s.opts.GoBuildOnly,
	})
	if err != nil {
		return errors.Join(err, s.platform.Shutdown(context.Background()))
	}
	return nil
}

// serve runs the loop, and takes everything down in order afterwards.
func (s *server) serve(ctx context.Context, listeners []net.Listener) error {
	ctx, stopLoop := context.WithCancel(ctx)
	defer stopLoop()
	var endBuilds, endHosts context.CancelFunc
	s.building, endBuilds = context.WithCancel(context.Background())
	defer endBuilds()
	s.hosting, endHosts = context.WithCancel(context.Background())
	defer endHosts()
	closing, hurry := context.WithCancel(context.Background())
	defer hurry()

	stopKeys, err := s.readKeys(hurry)
	if err != nil {
		s.console.Line(s.console.Warn(err.Error()))
		stopKeys = func() error { return nil }
	}
	s.watcher = watch.New(watch.Options{Warn: func(err error) {
		s.console.Line(s.console.Warn("changes are noticed a little late, the system refuses to report them: " + err.Error()))
	}})
	s.beginWatching()
	s.tasks.Go(func() { s.passChanges(s.building) })
	s.bundles = newBundling(s.url, func(ev bundled) { s.send(ev) })
	if s.config.manifest.Build.Command == "" {
		s.bundles.take(s.config.manifest)
	} // else when that has run
	s.tasks.Go(func() { s.bundles.run(s.building) })
	quiet := make(chan struct{})
	var printing sync.WaitGroup
	printing.Go(func() { s.traffic.run(quiet) })

	web := &http.Server{
		Handler:           &handler{access: access{s.opts.Host}, board: s.board, platform: s.platform, done: s.done, patience: patience, log: s.traffic.request},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    s.config.manifest.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var serving sync.WaitGroup
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		serving.Go(func() {
			if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve: %w", err)
				stopLoop()
			}
		})
	}
	if s.opts.Listening != nil {
		s.opts.Listening(s.url)
	}
	s.tasks.Go(func() { s.send(rebuild{}) })

	s.loop(ctx)
	endBuilds()
	s.closeRooms(closing)
	left, cancel := context.WithTimeout(closing, quitTime)
	defer cancel()
	err = nil
	if web.Shutdown(left) != nil {
		err = web.Close()
	}
	serving.Wait()
	select {
	case broken := <-failed:
		err = errors.Join(broken, err)
	default: // stopping is what was asked for
	}
	s.endHosts(left)
	endHosts()
	s.tasks.Wait()
	close(quiet)
	printing.Wait()
	s.console.Line(s.console.Faint("stopped"))
	return errors.Join(err, s.watcher.Close(), stopKeys(), os.RemoveAll(s.builder.Folder()))
}

// closeRooms lets rooms end while their host still runs.
func (s *server) closeRooms(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	if !s.state.serving() {
		// Nobody is left to run OnClose.
		cancel()
	}
	if err := s.platform.Shutdown(ctx); err != nil {
		s.log.Debug("close rooms", "err", err)
	}
}

// endHosts lets the host that has the rooms end by itself.
func (s *server) endHosts(ctx context.Context) {
	h := s.hosts[s.state.current.id]
	if h == nil || !s.state.serving() {
		return
	}
	close(h.retire)
	select {
	case <-h.ended:
	case <-ctx.Done():
	}
}

func (s *server) banner(where string) {
	c := s.console
	c.Line("")
	c.Line(c.Bold("party dev") + "  " + c.Link(s.url))
	if where == "" {
		where = "in memory, lost when this stops"
	} else {
		where = s.relative([]string{where})[0]
	}
	c.Line("state      " + where)
	if files := s.config.varFiles; len(files) > 0 {
		c.Line("variables  " + strings.Join(s.relative(files), ", "))
	}
	if in, ok := s.opts.Stdin.(*os.File); ok && !s.opts.NoHotkeys && console.IsTerminal(in) {
		c.Line("keys       " + c.Faint(keyHelp))
	}
	c.Line(c.Faint("building…"))
}

// relative returns paths as they are called from the working directory, if they are below it.
func (s *server) relative(paths []string) []string {
	out := make([]string, len(paths))
	for n, path := range paths {
		out[n] = path
		if rel, err := filepath.Rel(s.cwd, path); err == nil && filepath.IsLocal(rel) {
			out[n] = rel
		}
	}
	return out
}

// shownHost is what a browser on this machine calls the server.
func shownHost(host string) string {
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		return "localhost"
	}
	return host
}

// hostEnv is the environment of builds. Like party build it does without cgo, unless the user
// has asked for it.
func hostEnv() []string {
	env := os.Environ()
	if _, ok := os.LookupEnv("CGO_ENABLED"); !ok {
		env = append(env, "CGO_ENABLED=0")
	}
	return env
}

// source is the folder of the user's code, to find it in a stack: the module's.
func (s *server) source() string {
	for dir := s.opts.Dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return s.opts.Dir
		}
	}
}

func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func closeListeners(all []net.Listener) error {
	var err error
	for _, l := range all {
		err = errors.Join(err, l.Close())
	}
	return err
}
