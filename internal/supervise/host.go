package supervise

import (
	"context"
	"time"

	"github.com/goparty-dev/party/internal/hostproc"
	"github.com/goparty-dev/party/internal/link/stream"
)

// drainTime is how long a host may take to answer its last calls when its rooms have moved.
const drainTime = 10 * time.Second

// hosted is a host that was started.
type hosted struct {
	host
	kill   context.CancelFunc
	retire chan struct{} // closed by the loop when its rooms have moved
	ended  chan struct{} // closed when the process is gone
	link   *stream.Host  // set before ready is sent
	pid    int           // the same
}

func (s *Supervisor) startHost(a startHost) {
	ctx, kill := context.WithCancel(s.hosting)
	h := &hosted{host: a.Host, kill: kill, retire: make(chan struct{}), ended: make(chan struct{})}
	s.hosts[h.id] = h
	s.tasks.Go(func() {
		defer kill()
		reason := s.runHost(ctx, h)
		close(h.ended)
		s.send(exited{h.id, reason})
	})
}

// runHost starts a host and sees it through to its end, which ctx brings about at once.
// It returns why the host has ended.
func (s *Supervisor) runHost(ctx context.Context, h *hosted) string {
	proc, err := hostproc.Start(hostproc.Options{Binary: h.version.Binary, Dir: s.opts.Dir, Env: s.opts.Env, Output: s.opts.Output})
	if err != nil {
		return err.Error()
	}
	defer proc.Kill() // does nothing if it has ended
	h.pid = proc.PID()
	init, err := s.opts.Init(h.version)
	if err != nil {
		return err.Error()
	}
	if h.link, err = proc.Join(ctx, init); err != nil {
		return "it " + proc.Unanswered(ctx, err).String()
	}
	moved, err := s.opts.Prepare(ctx, h.version, h.link.Info())
	if err != nil {
		_ = h.link.Close() // nothing that matters was sent
		return err.Error()
	}
	s.send(ready{h.id, moved})
	return "it " + proc.Stay(ctx, h.link, h.retire, drainTime, func() { s.send(lost{h.id}) }).String()
}
