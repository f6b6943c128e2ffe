package devserver

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/goparty-dev/party/devserver/internal/hostproc"
	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
)

// Bounds on how long a host may take.
const (
	startTime  = 30 * time.Second       // to answer: init functions run before
	drainTime  = 5 * time.Second        // to answer its last calls when its rooms have moved
	leaveTime  = 2 * time.Second        // to end when it is no longer needed
	reasonTime = time.Second            // to end after its link has: a process that exits closes it first
	sumTime    = 100 * time.Millisecond // for the platform to sum a hand-over up
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

	h.link, err = s.connect(ctx, proc, h.build.config)
	if err != nil {
		return unanswered(ctx, proc, err)
	}
	h.up = time.Now()
	s.send(ready{h.id})

	select {
	case <-h.link.Done():
		s.send(lost{h.id})
		reason := end(ctx, proc, reasonTime)
		if err := h.link.Err(); err != nil && reason.Panic == "" && !reason.Natural {
			reason.Summary = "broke the link to the dev server: " + err.Error()
		}
		_ = h.link.Close() // it has ended already, this waits for what is left of it
		return reason
	case <-h.retire:
		drain, cancel := context.WithTimeout(ctx, drainTime)
		_ = h.link.Drain(drain) // what takes longer is cut off
		cancel()
		_ = h.link.Close() // as above
		return end(ctx, proc, leaveTime)
	case <-ctx.Done():
		_ = h.link.Close() // as above
		return end(ctx, proc, 0)
	}
}

func (s *server) connect(ctx context.Context, proc *hostproc.Process, c *config) (*stream.Host, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it does not answer within %v; does an init function or main wait for something?", startTime))
	defer cancel()
	init := stream.Init{Vars: c.vars, Dev: true, IdleAfter: c.manifest.Limits.Idle}
	host, err := stream.Connect(ctx, proc.Conn(), init)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return host, err
}

// unanswered is the reason why a host has never been ready. If it ended by
// itself, that is the reason; if not, what the handshake said is.
func unanswered(ctx context.Context, proc *hostproc.Process, err error) hostproc.Reason {
	reason := end(ctx, proc, reasonTime)
	if !reason.Natural {
		reason.Summary = "was stopped: " + err.Error()
	}
	return reason
}

// end waits for a process, and kills it after some time or when ctx ends. Natural tells which.
func end(ctx context.Context, proc *hostproc.Process, patience time.Duration) hostproc.Reason {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	natural := true
	select {
	case <-proc.Exited():
	case <-timer.C:
		natural = false
	case <-ctx.Done():
		natural = false
	}
	proc.Kill()
	reason := proc.Reason()
	reason.Natural = natural
	return reason
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
