package devserver

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hostproc"
	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
)

// Bounds on how long things may take; those of a host's start and end are hostproc's.
const (
	drainTime = 5 * time.Second        // to answer its last calls when its rooms have moved
	sumTime   = 100 * time.Millisecond // for the platform to sum a hand-over up
)

// hosted is a host that was started.
type hosted struct {
	id     int
	build  *build
	why    cause
	kill   context.CancelFunc
	retire chan struct{} // closed by the loop when its rooms have moved
	ended  chan struct{} // closed when the process is gone

	// set before ready is sent
	link      *stream.Host
	begun, up time.Time

	// owned by the loop
	adopted time.Time
}

func (s *server) startHost(a startHost) {
	ctx, kill := context.WithCancel(s.hosting)
	h := &hosted{id: a.Host, build: s.buildOf(a.Build), why: a.Why, kill: kill, retire: make(chan struct{}), ended: make(chan struct{}), begun: time.Now()}
	s.hosts[a.Host] = h
	s.tasks.Go(func() {
		defer kill()
		reason := s.runHost(ctx, h)
		close(h.ended)
		s.send(exited{h.id, reason})
	})
}

// runHost starts a host and sees it through to its end, which ctx brings about at once.
func (s *server) runHost(ctx context.Context, h *hosted) hostproc.Reason {
	proc, err := hostproc.Start(hostproc.Options{
		Binary: h.build.bin.Path, Dir: s.opts.project(), Env: os.Environ(), Source: s.source(),
		Stdout: func(line string) { s.console.Line(s.console.Faint("│ ") + line) },
		Stderr: func(line string) { s.console.Line(s.console.Warn("│ ") + line) },
	})
	if err != nil {
		return hostproc.Reason{Summary: "could not be started: " + err.Error()}
	}
	defer proc.Kill() // does nothing if it has ended

	init := stream.Init{Vars: h.build.config.vars, Dev: true, IdleAfter: h.build.config.manifest.Limits.Idle}
	if h.link, err = proc.Join(ctx, init); err != nil {
		return proc.Unanswered(ctx, err)
	}
	h.up = time.Now()
	s.send(ready{h.id})
	return proc.Stay(ctx, h.link, h.retire, drainTime, func() { s.send(lost{h.id}) })
}

// adopt gives the rooms to a host and says when the last one has moved.
func (s *server) adopt(h *hosted) {
	h.adopted = time.Now()
	s.takeConfig(h.build.config)
	if !s.migrate(h.build.config.manifest) {
		return
	}
	done := s.setHost(h.link)
	replaced := s.replaced
	s.tasks.Go(func() {
		select {
		case <-done:
			s.send(moved{h.id})
		case <-replaced:
		case <-s.done:
		}
	})
}

// setHost changes the platform's host; nil takes it away.
func (s *server) setHost(h link.Host) <-chan struct{} {
	if s.replaced != nil {
		close(s.replaced)
	}
	s.replaced = make(chan struct{})
	// A sum that nobody has asked for is of an earlier change.
	select {
	case <-s.handed:
	default:
	}
	return s.platform.SetHost(h)
}

// handOver is what the platform says about the change that is just done.
func (s *server) handOver() platform.HandOver {
	timer := time.NewTimer(sumTime)
	defer timer.Stop()
	select {
	case sum := <-s.handed:
		return sum
	case <-timer.C:
		return platform.HandOver{}
	}
}

// takeConfig makes what new code was built with the present configuration, as far as that goes.
func (s *server) takeConfig(c *config) {
	if s.config == c {
		return
	}
	keys := strings.Join(fixed(s.opened, c.manifest), ", ")
	if keys != "" && keys != s.lastFixed {
		s.console.Line(s.console.Warn("party.json: what is new in " + keys + " takes effect when party dev is started again"))
	}
	s.lastFixed = keys
	was := s.config.assetsDir()
	s.config = c
	s.bundles.take(c.manifest)
	if dir := c.assetsDir(); dir != was {
		s.assets.set(dir)
		s.watchAssets(dir)
		s.board.assetsChanged()
	}
}
