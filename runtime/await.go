package party

import (
	"context"
	"sync"
)

// Await gives the turn up while fn runs, and takes it back before it returns.
// fn is for slow work: requests to other services, queries, waiting. It must
// not touch the room; other callbacks run meanwhile, so what the
// turn knew of the room's fields may have changed afterwards.
//
// What the turn wrote before is durable when fn begins, and what it sent has left. The context
// given to fn ends with ctx, and some seconds after newer code is to take the room
// over; fn should return then. If it does not, the room goes on without it, and Await does not
// return: the callback ends there, its deferred functions run.
//
// In OnStart the turn is kept, because nothing else may run before OnStart is done.
func (r *Room) Await(ctx context.Context, fn func(ctx context.Context) error) error {
	return r.i.await(ctx, fn)
}

// inAwait marks the context of a function that runs without the turn.
type inAwait struct{}

// abandoned is the panic that ends a callback whose instance has been
// released while it was in an await.
type abandoned struct{}

func (i *instance) await(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(inAwait{}) != nil {
		return fn(ctx) // i.cur is another's turn
	}
	t := i.cur
	if t == nil {
		return fn(ctx) // there is no turn to give up
	}
	if err := i.mayFlush(); err != nil {
		return err
	}
	i.flush(t, false)
	ctx, stop := i.awaits.begin(context.WithValue(ctx, inAwait{}, true))
	defer stop()
	if t.exclusive {
		if err := i.seat.Sync(ctx); err != nil {
			return err
		}
		return fn(ctx)
	}
	i.waiting++
	t.timing.End()
	i.suspend()
	defer i.resume(t) // also when fn panics: the panic is the callback's
	i.turn.Unlock()
	if t.ev != nil && t.ev.Yielded != nil {
		yielded := t.ev.Yielded
		t.ev.Yielded = nil
		yielded()
	}
	if err := i.seat.Sync(ctx); err != nil {
		return err
	}
	return fn(ctx)
}

// suspend ends the part of the turn before an await.
func (i *instance) suspend() {
	i.cur = nil
	i.outbox.mu.Lock()
	i.inTurn = false
	i.outbox.mu.Unlock()
}

// resume takes the turn back after an await.
func (i *instance) resume(t *turn) {
	t.timing.Wait()
	defer t.timing.Begin()
	i.turn.Lock()
	i.waiting--
	i.settled.Broadcast()
	if i.released {
		panic(abandoned{})
	}
	i.enter(t)
}

// awaits knows the contexts of what is in an await, to end them all.
type awaits struct {
	mu    sync.Mutex
	ends  map[*context.CancelFunc]struct{}
	ended bool
}

func (a *awaits) begin(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		cancel()
	}
	if a.ends == nil {
		a.ends = make(map[*context.CancelFunc]struct{})
	}
	a.ends[&cancel] = struct{}{}
	return ctx, func() {
		cancel()
		a.mu.Lock()
		delete(a.ends, &cancel)
		a.mu.Unlock()
	}
}

// endAll ends the contexts of all awaits, now and later.
func (a *awaits) endAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for cancel := range a.ends {
		(*cancel)()
	}
}
