package hostproc

import (
	"context"
	"fmt"
	"time"

	"github.com/goparty-dev/party/internal/link/stream"
)

// Bounds on how long a host may take.
const (
	startTime  = 30 * time.Second // to answer: init functions run before
	leaveTime  = 2 * time.Second  // to end when it is no longer needed
	reasonTime = time.Second      // to end after its link has: a process that exits closes it first
)

// Join waits until the host answers, at most 30 s. With an error the host is of no use: see Unanswered.
func (p *Process) Join(ctx context.Context, init stream.Init) (*stream.Host, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it does not answer within %v; does an init function or main wait for something?", startTime))
	defer cancel()
	host, err := stream.Connect(ctx, p.Conn(), init)
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return host, err
}

// Unanswered ends a host that Join has failed for, and returns why it was never ready: the way it ended, if it did
// that by itself, else what the handshake said.
func (p *Process) Unanswered(ctx context.Context, err error) Reason {
	reason := p.End(ctx, reasonTime)
	if !reason.Natural {
		reason.Summary = "was stopped: " + err.Error()
	}
	return reason
}

// Stay sees a host that was joined through to its end, and returns why that has come: its link ends (lost is called
// at once), retire is closed (its last calls get drain to be answered), or ctx ends.
func (p *Process) Stay(ctx context.Context, host *stream.Host, retire <-chan struct{}, drain time.Duration, lost func()) Reason {
	select {
	case <-host.Done():
		lost()
		reason := p.End(ctx, reasonTime)
		if err := host.Err(); err != nil && reason.Panic == "" && !reason.Natural {
			reason.Summary = "broke the link: " + err.Error()
		}
		_ = host.Close() // it has ended already, this waits for what is left of it
		return reason
	case <-retire:
		limited, cancel := context.WithTimeout(ctx, drain)
		_ = host.Drain(limited) // what takes longer is cut off
		cancel()
		_ = host.Close() // as above
		return p.End(ctx, leaveTime)
	case <-ctx.Done():
		_ = host.Close() // as above
		return p.End(ctx, 0)
	}
}

// End waits for the process, and kills it after some time or when ctx ends; the reason's Natural tells which.
func (p *Process) End(ctx context.Context, patience time.Duration) Reason {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	natural := true
	select {
	case <-p.Exited():
	case <-timer.C:
		natural = false
	case <-ctx.Done():
		natural = false
	}
	p.Kill()
	reason := p.Reason()
	reason.Natural = natural
	return reason
}
