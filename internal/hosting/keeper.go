//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goparty-dev/party/internal/child"
	"github.com/goparty-dev/party/internal/hosting/api"
)

// Back-off of apps that crash.
const (
	firstDelay = 250 * time.Millisecond
	maxDelay   = 30 * time.Second
	calmTime   = 30 * time.Second // without a crash, after which the next one is the first again
)

// delay is how long an app stays down after some crashes in a row.
func delay(crashes int) time.Duration {
	return min(firstDelay<<min(max(crashes-1, 0), 10), maxDelay)
}

// run makes an app do something else: the program with a hash, or with none nothing. What it
// does now ends in good order. The channel gets what came of it, once.
func (a *app) run(hash string) <-chan error {
	first := make(chan error, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	settle(a.aim.first, errors.New("something else was asked for meanwhile"))
	a.aim = aim{hash, first}
	close(a.aimed)
	a.aimed = make(chan struct{})
	return first
}

func (a *app) target() (aim, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.aim, a.aimed
}

// keep does what the app is aimed at, until ctx ends. It is the only one that starts and ends the app's process.
func (a *app) keep(ctx context.Context) {
	defer close(a.ended)
	crashes := 0
	var doing chan error
	for ctx.Err() == nil {
		now, changed := a.target()
		if now.first != doing {
			doing, crashes = now.first, 0
		}
		if now.hash == "" {
			a.turn(api.Stopped, "")
			settle(now.first, nil)
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		calm, err := a.once(ctx, now, changed)
		if err == nil { // it has ended because it should
			continue
		}
		if calm {
			crashes = 0
		}
		crashes++
		wait := delay(crashes)
		a.mu.Lock()
		a.retryAt = time.Now().Add(wait)
		a.restarts++
		a.mu.Unlock()
		a.turn(api.Crashed, err.Error())
		a.say("error", fmt.Sprintf("%v; it is started again in %v", err, wait))
		settle(now.first, err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	a.turn(api.Stopped, errStopped.Error())
	now, _ := a.target()
	settle(now.first, errStopped)
}

// settle says what has come of an aim, unless that was said.
func settle(first chan error, err error) {
	if first == nil {
		return
	}
	select {
	case first <- err:
	default:
	}
}

// once runs the program until it crashes, which is an error, or is to end. calm reports whether
// it was up for a while.
func (a *app) once(ctx context.Context, now aim, changed <-chan struct{}) (calm bool, err error) {
	a.turn(api.Starting, "")
	a.mu.Lock()
	a.words = nil
	a.mu.Unlock()
	c, err := a.start(now.hash)
	if err != nil {
		return false, err
	}
	a.mu.Lock()
	a.child, a.started = c, time.Now()
	a.mu.Unlock()
	defer func() {
		c.Kill() // it has ended, as a rule
		a.mu.Lock()
		a.child = nil
		a.mu.Unlock()
		a.transport.CloseIdleConnections()
	}()
	until, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // who aims elsewhere does not wait for a start that does not come off
		select {
		case <-changed:
			cancel()
		case <-until.Done():
		}
	}()
	if err := a.ready(until, c); err != nil {
		if until.Err() != nil {
			a.leave(c)
			return false, nil
		}
		return false, err
	}
	began := time.Now()
	a.say("info", fmt.Sprintf("version %s serves, as process %d", now.hash[:idDigits], c.PID))
	a.turn(api.Running, "")
	settle(now.first, nil)
	select {
	case <-c.Exited():
		return time.Since(began) >= calmTime, fmt.Errorf("%s%s", c.How(), a.lastWords())
	case <-until.Done():
		next := api.Stopped
		if to, _ := a.target(); to.hash != "" && ctx.Err() == nil {
			next = api.Starting // for clients it is a matter of waiting
		}
		a.turn(next, "")
		a.leave(c)
		return false, nil
	}
}

// leave lets a process end in good order.
func (a *app) leave(c *child.Child) {
	c.Ask()
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-c.Exited():
	case <-timer.C:
		a.say("error", fmt.Sprintf("it does not end within %v, and is killed", drainTime))
		c.Kill()
	}
}
