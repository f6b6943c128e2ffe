package platform

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// room is a room as the platform sees it: its sockets, what its instance has
// asked for, and whether it has an instance at all. It exists while somebody
// uses it; nothing of it stays in memory afterwards.
type room struct {
	p     *Platform
	key   storage.Room
	stats *partyMetrics
	party link.Party // as of the host that was current when the room was made
	seq   atomic.Uint64

	queued atomic.Int64 // requests that wait for their turn, or have it

	// users counts what needs the room: sessions, requests, a live instance,
	// commits. Only under Platform.mu does it leave zero.
	users atomic.Int64

	live atomic.Pointer[seat] // takes events; nil while there is none

	mu       sync.Mutex // guards what follows
	phase    phase
	held     bool          // somebody replaces what is stored, see Replace: no instance is made
	seat     *seat         // of the instance, from before it is live until it is released
	changed  chan struct{} // closed when phase changes; made by whoever waits
	left     []*link.Event // what the last instance left, to be delivered first
	waiting  int           // goroutines that wait for an instance
	sessions map[link.SessionID]*session
	members  []*session
	tracked  map[uint64]tracked // by event: what its consumption means
	gate     gate
	suspect  uint64      // the event that holds Platform.suspects
	loose    int         // commits under way that nothing waits for
	alarm    time.Time   // as accepted, durable or not
	evicted  time.Time   // when the running hand-over of the room began
	overs    []*handOver // that wait for this room
	frame    []byte      // scratch for outgoing frames
	coded    encodings   // of the message that is being sent
	kept     kept
}

type phase uint8

const (
	asleep  phase = iota // no instance
	waking               // one is being made
	awake                // it takes events
	leaving              // it finishes
)

// tracked is what hangs on an event that the host has not consumed.
type tracked struct {
	request *pending
	open    *session
	closed  *session
}

// errOverloaded says that too many events wait for a room.
var errOverloaded = fmt.Errorf("too many events wait for the room")

// deliver hands an event to the room's instance, waking the room if need be. It returns when the
// event is taken, or with an error if it never will be.
func (r *room) deliver(ctx context.Context, ev *link.Event) error {
	measure(ev)
	for {
		s := r.live.Load()
		if s != nil && ev.Invocation != nil {
			if _, here := s.inst.(link.Invocable); !here {
				return errElsewhere
			}
		}
		if s != nil && s.inst.Deliver(ev) {
			r.stats.delivered(ev)
			return nil
		}
		// Only what somebody waits for may be turned away; frames are never lost.
		limited := ev.Kind == link.Request || ev.Kind == link.Open
		if err := r.ready(ctx, s, limited); err != nil {
			return err
		}
	}
}

// deliverAside delivers on a goroutine of its own: a client does not wait for a callback that has
// answered, or is abandoned in an await. The channel gets an error if the event is not taken.
func (r *room) deliverAside(ctx context.Context, ev *link.Event) <-chan error {
	failed := make(chan error, 1)
	r.use()
	taken := sync.OnceFunc(r.unuse)
	ev.Yielded = taken
	go func() {
		defer taken()
		if err := r.deliver(ctx, ev); err != nil {
			failed <- err
		}
	}()
	return failed
}

// ready waits until the room has an instance other than the one that refused,
// and makes one if nobody else does.
func (r *room) ready(ctx context.Context, refused *seat, limited bool) error {
	r.mu.Lock()
	if limited && r.waiting >= r.p.limits.RoomQueue {
		r.mu.Unlock()
		return errOverloaded
	}
	r.waiting++
	defer func() {
		r.waiting--
		r.mu.Unlock()
	}()
	for {
		switch {
		case r.phase == awake && r.seat != refused:
			return nil
		case r.phase == asleep && !r.held:
			return r.wake(ctx)
		}
		if err := r.change(ctx); err != nil {
			return err
		}
	}
}

// change waits until the phase is another. Called with mu held, which it releases meanwhile.
func (r *room) change(ctx context.Context) error {
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	changed := r.changed
	r.mu.Unlock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
	r.mu.Lock()
	return ctx.Err()
}

// enterPhase is called with mu held.
func (r *room) enterPhase(p phase) {
	r.phase = p
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// wake makes an instance on the current host and gives it what the last one
// left. Called with mu held, in phase asleep; mu is released meanwhile.
func (r *room) wake(ctx context.Context) error {
	r.enterPhase(waking)
	r.mu.Unlock()
	s, err := r.takeSeat(ctx)
	r.mu.Lock()
	if err != nil {
		r.enterPhase(asleep)
		r.moved()
		return fmt.Errorf("wake room %s: %w", r.key, err)
	}
	r.seat = s
	r.use()
	w := link.Wake{Room: r.key, Fence: s.fence, Alarm: r.alarm, Empty: s.empty, Sessions: r.roster(), Kept: r.kept.take(), Seat: s}
	r.mu.Unlock()
	s.inst = s.host.Wake(w)
	r.mu.Lock()
	for len(r.left) > 0 && r.seat == s {
		ev := r.left[0]
		if ev.Deaths > 0 && !r.question(s, ev) {
			break
		}
		r.left = r.left[1:]
		r.mu.Unlock()
		taken := s.inst.Deliver(ev)
		r.mu.Lock()
		if !taken {
			r.left = append([]*link.Event{ev}, r.left...)
			break
		}
	}
	if r.seat != s {
		return nil // released already; the caller looks again
	}
	r.live.Store(s)
	r.enterPhase(awake)
	if s.dead || s.host != r.p.currentHost() {
		r.evict()
	} else {
		r.moved()
	}
	return nil
}

// takeSeat claims the room for the current host, waiting for one if there is none.
func (r *room) takeSeat(ctx context.Context) (*seat, error) {
	host, err := r.p.waitHost(ctx)
	if err != nil {
		return nil, err
	}
	s := &seat{room: r, host: host}
	if r.key.Party == link.SocketParty {
		s.empty = true // and stays so
		return s, nil
	}
	if !knows(host.Info(), r.key.Party) {
		return nil, fmt.Errorf("there is no party %q", r.key.Party)
	}
	claim, err := r.p.store.Claim(ctx, r.key)
	if err != nil {
		return nil, err
	}
	s.fence, s.empty = claim.Fence, claim.Empty
	r.mu.Lock()
	r.alarm = claim.Alarm
	if r.gate.open() {
		r.mu.Unlock()
		return s, nil
	}
	// What the last instance has committed is durable now, but who joined, left and has
	// which state shows only when it has passed the gate.
	passed := r.gate.wait()
	r.mu.Unlock()
	select {
	case <-passed:
		return s, nil
	case <-ctx.Done():
		r.p.store.Release(r.key, s.fence)
		return nil, ctx.Err()
	}
}

func knows(info link.Info, party string) bool {
	return slices.ContainsFunc(info.Parties, func(p link.Party) bool { return p.Name == party })
}

// roster lists the sessions that a fresh instance takes up. Called with mu held.
func (r *room) roster() []link.Session {
	out := make([]link.Session, 0, len(r.sessions))
	for _, s := range r.sessions {
		if !s.joined || s.forgot {
			continue
		}
		e := link.Session{ID: s.id, Conn: s.conn, URI: s.uri, Tags: s.tags, State: s.state, Closing: s.gone || s.code != 0, Engine: s.engine != nil}
		if !r.party.Hibernate || e.Engine {
			e.Request = s.request.request()
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b link.Session) int { return int(int64(a.ID) - int64(b.ID)) })
	return out
}

// evict asks the instance to end: newer code is there, or what it believes is
// no longer so. Called with mu held.
func (r *room) evict() {
	if r.phase != awake {
		return
	}
	r.live.Store(nil)
	r.enterPhase(leaving)
	r.evicted = time.Now()
	inst := r.seat.inst
	go inst.Evict(r.p.grace) // not under mu: the host has locks of its own
}

// moved notes that a hand-over of this room has ended. Called with mu held.
func (r *room) moved() {
	for _, o := range r.overs {
		o.moved(r.evicted)
	}
	r.overs, r.evicted = nil, time.Time{}
}

// released ends a seat. left are the events that its instance had taken and not consumed.
func (r *room) released(s *seat, left []*link.Event) {
	r.mu.Lock()
	if r.seat != s {
		r.mu.Unlock()
		return
	}
	r.seat = nil
	r.live.Store(nil)
	var silent []*session
	if r.phase == awake && !s.crashed() {
		silent = slices.Clone(r.members) // it rests by itself, and its sockets with it
	}
	if r.phase != leaving {
		r.evicted = time.Time{}
		if s.crashed() {
			r.evicted = time.Now()
		}
	}
	r.acquit()
	r.left = append(r.survivors(left), r.left...)
	r.failAbandoned()
	r.p.clock.retry(r.key) // if OnAlarm was running, it is run again
	again := r.returns()
	if !again {
		r.moved()
	}
	r.enterPhase(asleep)
	r.mu.Unlock()
	if r.key.Party != link.SocketParty {
		r.p.store.Release(r.key, s.fence)
	}
	if again {
		r.comeBack()
	} else {
		for _, s := range silent {
			s.rest()
		}
	}
	r.unuse()
}

// returns reports whether a room without an instance is to have one at once: something was left for it, or it
// keeps its value while sockets are open. Called with mu held.
func (r *room) returns() bool {
	return !r.p.closing.Load() && (len(r.left) > 0 || len(r.members) > 0 && !r.party.Hibernate)
}

// comeBack starts the room again without waiting for it.
func (r *room) comeBack() {
	r.use()
	go func() {
		defer r.unuse()
		r.nudge()
	}()
}

// nudge starts the room without an event of its own.
func (r *room) nudge() {
	if err := r.deliver(r.p.ctx, &link.Event{Kind: link.Nudge, Seq: r.seq.Add(1)}); err != nil && r.p.ctx.Err() == nil {
		r.p.log.Error("room could not be started again", "party", r.key.Party, "room", r.key.Name, "err", err)
		r.failLeft(err)
	}
}

// use and unuse count a user of a room that already has one.
func (r *room) use() { r.users.Add(1) }

func (r *room) unuse() {
	if r.users.Add(-1) == 0 {
		r.p.forget(r)
	}
}
