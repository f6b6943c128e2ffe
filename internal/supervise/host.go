package supervise

import (
	"context"
	"fmt"
	"time"

	"github.com/goparty-dev/party/internal/link/stream"
)

// Bounds on how long a host may take.
const (
	startTime  = 30 * time.Second // to answer: init functions run before
	drainTime  = 10 * time.Second // to answer its last calls when its rooms have moved
	leaveTime  = 2 * time.Second  // to end when it is no longer needed
	reasonTime = time.Second      // to end after its link has: a process that exits closes it first
)

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
	proc, err := startProcess(h.version.Binary, s.opts.Dir, s.opts.Env, s.opts.Output)
	if err != nil {
		return err.Error()
	}
	defer proc.kill() // does nothing if it has ended
	h.pid = proc.pid
	moved, err := s.welcome(ctx, proc, h)
	if err != nil {
		if h.link != nil {
			_ = h.link.Close() // nothing that matters was sent
			return err.Error()
		}
		if end(ctx, proc, reasonTime) {
			return proc.reason
		}
		return err.Error()
	}
	s.send(ready{h.id, moved})

	select {
	case <-h.link.Done():
		s.send(lost{h.id})
		natural := end(ctx, proc, reasonTime)
		_ = h.link.Close() // it has ended already, this waits for what is left of it
		if broken := h.link.Err(); broken != nil && !natural {
			return "it broke the link: " + broken.Error()
		}
	case <-h.retire:
		drain, cancel := context.WithTimeout(ctx, drainTime)
		_ = h.link.Drain(drain) // what takes longer is cut off
		cancel()
		_ = h.link.Close() // as above
		end(ctx, proc, leaveTime)
	case <-ctx.Done():
		_ = h.link.Close() // as above
		end(ctx, proc, 0)
	}
	return proc.reason
}

// welcome waits until a host answers, and looks whether it fits.
func (s *Supervisor) welcome(ctx context.Context, proc *process, h *hosted) (moved bool, err error) {
	init, err := s.opts.Init(h.version)
	if err != nil {
		proc.conn.Close()
		return false, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it does not answer within %v; does an init function or main wait for something?", startTime))
	defer cancel()
	host, err := stream.Connect(limited, proc.conn, init)
	if err != nil {
		if context.Cause(limited) != nil {
			err = context.Cause(limited)
		}
		return false, err
	}
	h.link = host
	return s.opts.Prepare(ctx, h.version, host.Info())
}

// end waits for a process, and kills it after some time or when ctx ends. It reports
// whether the process ended by itself.
func end(ctx context.Context, proc *process, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	natural := true
	select {
	case <-proc.exited:
	case <-timer.C:
		natural = false
	case <-ctx.Done():
		natural = false
	}
	proc.kill()
	return natural
}
