package devserver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/goparty-dev/party/devserver/internal/console"
	"github.com/goparty-dev/party/devserver/internal/hostbuild"
	"github.com/goparty-dev/party/devserver/internal/watch"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
)

// server is the loop and what its actions need.
type server struct {
	// set by Run before the loop, then read-only
	opts     Options
	console  *console.Console
	log      *slog.Logger
	board    *board
	assets   *assets
	platform *platform.Platform
	builder  *hostbuild.Builder
	watcher  *watch.Watcher
	traffic  *traffic
	bundles  *bundling
	command  buildCommand
	opened   *manifest.Manifest // what the platform was made with
	url      string
	cwd      string // what places are shown relative to
	events   chan event
	handed   chan platform.HandOver
	done     chan struct{} // closed when the loop has ended
	building context.Context
	hosting  context.Context // outlives the loop: rooms are closed in good order first
	tasks    sync.WaitGroup
	manifest taken // has a lock of its own

	// owned by the loop
	state       state
	at          time.Time // when what is being handled was noticed
	config      *config   // of the newest code that was built
	hosts       map[int]*hosted
	lastBuild   buildTask
	replaced    chan struct{} // closed when the platform gets another host
	routes      string        // as printed last
	lastWarning string
	// lastBundleWarning is like lastWarning, of browser code.
	lastBundleWarning string
	lastFixed         string
	problems          problems

	mu      sync.Mutex
	builds  map[int]*build // guarded by mu; by number
	watched watchedFiles   // guarded by mu
	scans   scans          // guarded by mu
}

// loop handles events until the user or ctx ends it.
func (s *server) loop(ctx context.Context) {
	defer close(s.done)
	for !s.state.stopping {
		var ev event
		select {
		case <-ctx.Done():
			ev = stop{}
		case ev = <-s.events:
		}
		s.at = time.Now()
		if c, ok := ev.(changed); ok {
			s.at = c.At
		}
		var do []action
		s.state, do = next(s.state, ev)
		for _, a := range do {
			s.perform(a)
		}
		if gone, ok := ev.(exited); ok {
			delete(s.hosts, gone.Host)
		}
		s.board.post(statusOf(&s.state, s.problems.of(&s.state, s.cwd)))
	}
}

// send tells the loop of an event, unless it has ended.
func (s *server) send(ev event) {
	select {
	case s.events <- ev:
	case <-s.done:
	}
}

// sendAfter tells the loop of an event when some time has passed.
func (s *server) sendAfter(d time.Duration, ev event) {
	s.tasks.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			s.send(ev)
		case <-s.done:
		}
	})
}

// healthTime is how long code has to run to be taken for sound.
const healthTime = 10 * time.Second

func (s *server) perform(a action) {
	switch a := a.(type) {
	case beginBuild:
		s.beginBuild(a.Build)
	case startHost:
		s.startHost(a)
	case killHost:
		s.hosts[a.Host].kill()
	case retireHost:
		close(s.hosts[a.Host].retire)
	case adopt:
		s.adopt(s.hosts[a.Host])
	case detach:
		s.setHost(nil)
	case startTimer:
		s.sendAfter(a.Delay, due{a.Timer})
	case watchHealth:
		s.sendAfter(healthTime, healthy(a))
	case reloadPages:
		s.board.assetsChanged()
	case show:
		s.show(a.What)
	case shutDown:
		// The loop ends by itself; Run does the rest.
	default:
		panic("devserver: an action that nobody performs")
	}
}
