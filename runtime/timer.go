package party

import (
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Do runs fn as a turn of the room, from any goroutine, and returns when it is
// done: ErrReleased if this instance of the room has ended, in which case fn did
// not run, or fn's panic as a *PanicError. Calling it inside a turn of the same room deadlocks.
func (r *Room) Do(fn func()) error {
	return r.i.do("Do", fn, nil)
}

func (i *instance) do(where string, fn func(), still func() bool) (err error) {
	begun := time.Now()
	i.turn.Lock()
	defer i.leave()
	if i.released || (still != nil && !still()) {
		return ErrReleased
	}
	t := turn{timing: i.ownTiming(begun)}
	i.enter(&t)
	defer i.endOwn(&t)
	if !i.started && !i.start(&t) {
		return ErrReleased
	}
	err = ErrReleased // should fn be abandoned in an await
	if len(i.held.events) > 0 {
		i.runHeld(&t)
	}
	err = i.protect(func() error { fn(); return nil })
	if err != nil {
		i.exception(where, err)
	}
	return err
}

// ownTiming is the timing of a turn that no event began, if it is to be measured. It has waited since begun.
func (i *instance) ownTiming(begun time.Time) *link.Timing {
	if i.told == nil || i.turns%link.TurnSample != 0 {
		return nil
	}
	t := new(link.Timing)
	t.WaitSince(begun)
	t.Begin()
	return t
}

// endOwn is finish for a turn that no event began.
func (i *instance) endOwn(t *turn) {
	i.finish(t)
	t.timing.End()
	if i.told != nil {
		i.told.OwnTurn(t.timing)
	}
}

// Timer is a pending After or a running Every. It ends with this instance of
// the room, at the latest on the next reload; OnStart is the place to start it again.
type Timer struct {
	i      *instance
	t      *time.Timer
	every  time.Duration
	fn     func()
	active bool // owned by the turn
}

// After runs fn as a turn, once, when d has passed. It keeps the room in
// memory until then. For what must happen even after a restart use an alarm.
func (r *Room) After(d time.Duration, fn func()) *Timer { return r.i.timer(d, 0, fn) }

// Every runs fn as a turn every d, until stopped: a game loop. It keeps the
// room in memory. Ticks that find the room busy are not made up for. d must be positive.
func (r *Room) Every(d time.Duration, fn func()) *Timer {
	if d <= 0 {
		panic("party: Every needs a positive duration")
	}
	return r.i.timer(d, d, fn)
}

func (i *instance) timer(d, every time.Duration, fn func()) *Timer {
	t := &Timer{i: i, every: every, fn: fn, active: true}
	if i.timers == nil {
		i.timers = make(map[*Timer]struct{})
	}
	i.timers[t] = struct{}{}
	t.t = time.AfterFunc(d, t.fire)
	return t
}

func (t *Timer) fire() {
	t.i.do("timer", t.run, func() bool { return t.active })
}

func (t *Timer) run() {
	if t.every > 0 {
		t.t.Reset(t.every)
	} else {
		t.Stop()
	}
	t.fn()
}

// Stop ends the timer. Call it in turns only; fn does not run afterwards.
func (t *Timer) Stop() {
	t.active = false
	t.t.Stop()
	delete(t.i.timers, t)
}

func (i *instance) stopTimers() {
	for t := range i.timers {
		t.Stop()
	}
}
