package party

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// instance is one live room: a value of the user's type and what surrounds it.
type instance struct {
	// Set at wake, then read-only.
	host *Host
	def  *Definition
	key  storage.Room
	seat link.Seat
	told link.TurnWatcher // seat, if it is one
	ctx  context.Context  // ends when the instance is released
	end  context.CancelFunc
	log  atomic.Pointer[slog.Logger] // made by whoever logs first, see logger

	resting // guarded by Host.rest

	turn     turnLock    // held by whatever turn runs
	starting atomic.Bool // OnStart runs
	settled  sync.Cond   // on turn: an await has ended

	// Owned by the turn.
	hooks     Instance
	started   bool
	released  bool
	cur       *turn
	conns     []*Conn                  // the listed connections
	shared    bool                     // conns may be in use by an iteration: replace it, do not change it
	sessions  map[link.SessionID]*Conn // of conns, and of those whose Close event is to come
	byID      map[string]*Conn         // newest listed connection
	apart     int                      // connections of the engine handler
	kept      string                   // by the last instance, for the engine handler
	writes    writeSet
	waiting   int // callbacks that are in an await
	timers    map[*Timer]struct{}
	turns     uint64 // turns run
	idleTurns uint64 // turns at the last idle check
	resumed   []link.Session
	props     []byte      // of the last caller inside, JSON
	fields    []Persisted // of hooks, when they have been restored
	empty     bool        // nothing is stored of the room
	migrating bool        // a data migration runs
	stamp     int         // version to record with the first data; 0: none
	held      held

	awaits awaits

	outbox
}

// turn is the run of one callback; with awaits, several parts.
type turn struct {
	ev     *link.Event  // nil for timers and Do
	timing *link.Timing // nil: the turn is not measured
	// consumed says that a batch with the event's number has been applied.
	consumed bool
	// exclusive says that an await keeps the turn: while a room starts.
	exclusive bool
	// held says that the event is kept for when the room can start.
	held bool
}

// outbox collects the effects of the running turn. Its lock also keeps Apply
// calls in order, so that goroutines may send outside turns.
type outbox struct {
	mu      sync.Mutex
	effects []link.Effect
	inTurn  bool // a turn runs, which will flush
	// cut is how many effects were there when the running callback began: a panic drops what follows.
	cut int
}

func newInstance(h *Host, def *Definition, w link.Wake) *instance {
	i := &instance{
		host: h, def: def, key: w.Room, seat: w.Seat,
		resumed: w.Sessions, kept: w.Kept, empty: w.Empty,
	}
	i.ctx, i.end = context.WithCancel(context.Background())
	i.turn = newTurnLock()
	i.settled.L = i.turn
	i.told, _ = w.Seat.(link.TurnWatcher)
	i.writes.reset(w.Alarm)
	i.renew()
	h.rest.add(i)
	return i
}

// logger returns the log that names the room. Few rooms ever need theirs.
func (i *instance) logger() *slog.Logger {
	l := i.log.Load()
	if l == nil {
		l = i.host.log.With("party", i.key.Party, "room", i.key.Name)
		i.log.Store(l)
	}
	return l
}

// renew puts a fresh value of the user's type in place.
func (i *instance) renew() {
	i.hooks = i.def.New()
	i.hooks.Room.i = i
	i.conns, i.sessions, i.byID, i.apart = nil, nil, nil, 0
	for n := range i.resumed {
		i.restore(&i.resumed[n])
	}
}

// Deliver implements link.Room: it runs the event's turn on the calling goroutine.
func (i *instance) Deliver(ev *link.Event) (taken bool) {
	if i.closesCircle(ev) {
		return true
	}
	i.turn.Lock()
	defer i.leave()
	if i.released {
		return false
	}
	if i.waits(ev) {
		return true
	}
	ev.Timing.Begin()
	t := turn{ev: ev, timing: ev.Timing}
	i.enter(&t)
	i.takeProps(ev)
	takeVia(ev)
	started := i.started || i.start(&t)
	if started && len(i.held.events) > 0 {
		i.runHeld(&t) // if it is abandoned in an await, the event has not been taken
	}
	taken = true // also when the callback is abandoned: it gave up its turn, which consumed the event
	if started {
		i.handle(&t)
	}
	i.finish(&t)
	ev.Timing.End()
	return true
}

func (i *instance) enter(t *turn) {
	i.cur = t
	i.turns++
	i.outbox.mu.Lock()
	i.inTurn = true
	i.outbox.mu.Unlock()
}

// finish applies what the turn has left.
func (i *instance) finish(t *turn) {
	i.flush(t, true)
	i.cur = nil
}

// leave gives the turn up. An abandoned callback ends here.
func (i *instance) leave() {
	i.turn.Unlock()
	if v := recover(); v != nil {
		if _, ok := v.(abandoned); !ok {
			panic(v)
		}
	}
}

// flush applies the writes and effects so far as one batch.
func (i *instance) flush(t *turn, last bool) {
	if i.started && i.hooks.Engine != nil {
		i.hooks.Engine.EngineFlush()
	}
	i.stampVersion()
	b := link.NewBatch()
	if t.ev != nil && !t.consumed && !t.held && (last || !t.exclusive) {
		t.consumed = true
		b.Consumed = t.ev.Seq
	}
	i.writes.moveTo(b)
	i.empty = i.empty && !b.Writes()
	i.outbox.mu.Lock()
	b.Effects, i.effects = i.effects, b.Effects
	i.cut = 0
	if last {
		i.inTurn = false
	}
	i.seat.Apply(b)
	i.outbox.mu.Unlock()
}

// emit adds an effect to the running turn, or sends it at once if none runs.
func (i *instance) emit(e link.Effect) {
	i.outbox.mu.Lock()
	defer i.outbox.mu.Unlock()
	if i.inTurn {
		i.effects = append(i.effects, e)
		return
	}
	b := link.NewBatch()
	b.Effects = append(b.Effects, e)
	i.seat.Apply(b)
}

func (i *instance) emitTo(c *Conn, e link.Effect) error {
	if c.shut.Load() {
		return ErrClosed
	}
	i.emit(e)
	return nil
}

func (i *instance) emitClose(c *Conn, code int, reason string) error {
	e := link.Effect{Op: link.Shut, Session: c.session, Code: sendableCode(code), Data: cutReason(reason)}
	if err := i.emitTo(c, e); err != nil {
		return err
	}
	c.shut.Store(true)
	return nil
}

// safely turns a panic of fn into an error.
func safely(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// protect runs a callback and turns its panic into an error. What a panicking
// callback had written and sent since its last await is dropped.
func (i *instance) protect(fn func() error) (err error) {
	i.outbox.mu.Lock()
	i.cut = len(i.effects)
	i.outbox.mu.Unlock()
	mark := i.writes.mark()
	defer func() {
		v := recover()
		if v == nil {
			if failed := i.saveFields(); failed != nil {
				i.undo(mark)
				err = errors.Join(err, failed)
			}
			return
		}
		if _, ok := v.(abandoned); ok {
			panic(v)
		}
		i.undo(mark)
		err = &PanicError{Value: v, Stack: debug.Stack()}
	}()
	return fn()
}

// undo drops what a callback has written and sent since mark.
func (i *instance) undo(mark writeMark) {
	i.outbox.mu.Lock()
	clear(i.effects[i.cut:])
	i.effects = i.effects[:i.cut]
	i.outbox.mu.Unlock()
	i.writes.rollback(mark)
	i.undoFields()
}

// start brings a fresh instance up: OnStart, then the resumed connections. If
// that fails, the event is answered with the error and the next one tries again.
func (i *instance) start(t *turn) bool {
	t.exclusive = true
	i.starting.Store(true)
	defer func() {
		t.exclusive = false
		i.starting.Store(false)
	}()
	stored, err := i.loadHidden()
	if err == nil {
		err = i.restoreFields(stored)
	}
	if err != nil {
		i.startFailed(t, err)
		return false
	}
	if err := i.migrateData(stored); err != nil {
		i.startFailed(t, err)
		i.reportUnfit(err)
		return false
	}
	if s := i.hooks.Start; s != nil {
		ctx := i.startContext(t.ev)
		if err := i.protect(func() error { return s.OnStart(ctx) }); err != nil {
			i.startFailed(t, err)
			return false
		}
	}
	if err := i.startEngine(i.kept); err != nil {
		i.startFailed(t, err)
		return false
	}
	i.started = true
	if !i.def.Hibernate {
		i.reconnect()
	}
	i.resumed = nil
	return true
}

func (i *instance) startFailed(t *turn, err error) {
	i.stopTimers()
	i.writes.drop()
	i.dropEffects()
	i.fields, i.stamp = nil, 0 // what OnException does to the failed value is not to be saved
	i.exception("OnStart", err)
	if ev := t.ev; ev != nil && ev.Kind == link.Close {
		i.resumed = without(i.resumed, ev.Session)
	}
	i.renew()
	const text = "the room could not start\n"
	switch ev := t.ev; {
	case ev == nil:
	case ev.Kind == link.Open:
		i.emit(link.Effect{Op: link.Deny, Session: ev.Session, Code: 500, Data: text})
	case ev.Kind == link.Request:
		i.respondError(ev.Seq, 500, text)
	case ev.Kind == link.Alarm:
		i.emit(link.Effect{Op: link.AlarmFailed})
	case ev.Kind == link.Message:
		if t.held = i.hold(ev); !t.held {
			i.turnAway(ev)
		}
	}
}

// dropEffects forgets what the running part of a turn was going to send.
func (i *instance) dropEffects() {
	i.outbox.mu.Lock()
	defer i.outbox.mu.Unlock()
	clear(i.effects)
	i.effects, i.cut = i.effects[:0], 0
}

// exception reports an error that no callback of a connection can take.
func (i *instance) exception(where string, err error) {
	i.logError(where, err)
	h := i.hooks.Exception
	if h == nil {
		return
	}
	if err := i.protect(func() error { h.OnException(i.ctx, err); return nil }); err != nil {
		i.logError("OnException", err)
	}
}

func (i *instance) logError(where string, err error) {
	args := []any{"callback", where, "err", err}
	var p *PanicError
	if errors.As(err, &p) {
		args = append(args, "stack", string(p.Stack))
	}
	i.logger().Error("callback failed", args...)
}
