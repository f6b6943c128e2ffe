package platform

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/assets"
	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/shrink"
	"github.com/goparty-dev/party/runtime/storage"
)

// Platform serves rooms. It is an http.Handler; all methods are safe for
// concurrent use.
type Platform struct {
	// Set by New, then read-only.
	opts     Options
	store    storage.Store
	log      *slog.Logger
	limits   manifest.Limits
	grace    time.Duration
	observer Observer
	proxies  *proxies
	clock    *clock
	ctx      context.Context // ends with Shutdown
	end      context.CancelFunc

	host        atomic.Pointer[link.Host] // nil, or pointing to the current host; changed under mu
	connections atomic.Int64
	sessionSeq  atomic.Uint64
	epoch       atomic.Int64 // periods of the pinger
	closing     atomic.Bool
	suspects    chan struct{} // one place, held while a suspect is under way
	metrics     metrics
	assets      *assets.Server // set by New
	background  sync.WaitGroup
	parking     parking

	mu          sync.Mutex // guards what follows; taken before room.mu, never after
	rooms       shrink.Map[storage.Room, *room]
	parties     map[string]*partyMetrics
	info        *routes       // of the host, or of the last one
	hostChanged chan struct{} // closed when the host changes; made by whoever waits

	sessionsMu sync.Mutex
	sessions   shrink.Map[*session, struct{}]
	engines    map[string]*engine // by sid
}

// ErrClosing says that the platform shuts down.
var ErrClosing = errors.New("the server is shutting down")

// New makes a platform without a host: events wait until SetHost.
func New(o Options) (*Platform, error) {
	if o.Store == nil {
		return nil, errors.New("platform: no store")
	}
	p := &Platform{
		opts: o, store: o.Store, log: o.Logger, grace: o.Grace, observer: o.Observer,
		limits:   withDefaults(o.Limits),
		suspects: make(chan struct{}, 1),
		parties:  make(map[string]*partyMetrics),
	}
	if p.opts.Prefix == "" {
		p.opts.Prefix = "parties"
	}
	if err := manifest.CheckPrefix(p.opts.Prefix); err != nil {
		return nil, err
	}
	for _, origin := range o.Origins {
		if err := manifest.CheckOrigin(origin); err != nil {
			return nil, err
		}
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	if p.grace <= 0 {
		p.grace = 5 * time.Second
	}
	crons, err := schedules(o.Crons)
	if err != nil {
		return nil, err
	}
	if p.proxies, err = newProxies(o.TrustedProxies); err != nil {
		return nil, err
	}
	p.assets = assets.New(assets.Options{
		Files: o.Assets, SinglePageApp: o.SinglePageApp, BrowserTTL: o.BrowserTTL, EdgeTTL: o.EdgeTTL, Hashed: o.HashedAssets, Edit: o.EditHTML,
	})
	p.ctx, p.end = context.WithCancel(context.Background())
	p.clock = newClock(p.alarmDue)
	if err := p.loadAlarms(); err != nil {
		p.end()
		return nil, err
	}
	p.background.Go(func() { p.clock.run(p.ctx) })
	p.background.Go(func() { p.pinger() })
	p.runCrons(crons)
	return p, nil
}

func withDefaults(l manifest.Limits) manifest.Limits {
	d := manifest.DefaultLimits()
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.MessageBytes, d.MessageBytes)
	set(&l.RoomNameBytes, d.RoomNameBytes)
	set(&l.SendQueueBytes, d.SendQueueBytes)
	set(&l.Connections, d.Connections)
	set(&l.RoomConnections, d.RoomConnections)
	set(&l.HeaderBytes, d.HeaderBytes)
	set(&l.RoomQueue, d.RoomQueue)
	if l.BodyBytes <= 0 {
		l.BodyBytes = d.BodyBytes
	}
	if l.Idle <= 0 {
		l.Idle = d.Idle
	}
	return l
}

// room returns the room of that name, counted as used: the caller calls unuse.
func (p *Platform) room(key storage.Room, party link.Party) *room {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms.Get(key)
	if r == nil {
		r = &room{p: p, key: key, stats: p.metricsOf(key.Party), party: party}
		p.rooms.Set(key, r)
	}
	r.users.Add(1)
	return r
}

// forget drops a room that nobody uses.
func (p *Platform) forget(r *room) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.users.Load() == 0 && p.rooms.Get(r.key) == r {
		p.rooms.Delete(r.key)
	}
}

// SetHost makes h the host of all rooms. Rooms of the present host are handed over one by
// one: each finishes its running turns there, and its next event goes to h. The
// returned channel is closed when the last room has left. With a nil h events wait.
func (p *Platform) SetHost(h link.Host) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host.Store(nil)
	if h != nil {
		p.host.Store(&h)
		p.info = newRoutes(h.Info())
	}
	if p.hostChanged != nil {
		close(p.hostChanged)
		p.hostChanged = nil
	}
	over := newHandOver(p.observer.HandedOver)
	for _, r := range p.rooms.All() {
		r.mu.Lock()
		if h != nil {
			if party, ok := p.info.parties[r.key.Party]; ok {
				r.party = party
			}
		}
		if h != nil && r.phase != asleep && (r.seat == nil || r.seat.host != h) {
			over.add(len(r.members))
			r.overs = append(r.overs, over)
			r.evict()
		}
		r.mu.Unlock()
	}
	over.ready()
	return over.done
}

func (p *Platform) currentHost() link.Host {
	if h := p.host.Load(); h != nil {
		return *h
	}
	return nil
}

// waitHost returns the current host, waiting for one if there is none.
func (p *Platform) waitHost(ctx context.Context) (link.Host, error) {
	for {
		p.mu.Lock()
		if h := p.currentHost(); h != nil && !gone(h) {
			p.mu.Unlock()
			return h, nil
		}
		if p.hostChanged == nil {
			p.hostChanged = make(chan struct{})
		}
		changed := p.hostChanged
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.ctx.Done():
			return nil, ErrClosing
		}
	}
}

// gone reports whether a host has died. Only hosts in other processes can, and have Done.
func gone(h link.Host) bool {
	mortal, ok := h.(interface{ Done() <-chan struct{} })
	if !ok {
		return false
	}
	select {
	case <-mortal.Done():
		return true
	default:
		return false
	}
}

// routing returns what is known of the host's parties, waiting for the first host.
func (p *Platform) routing(ctx context.Context) (*routes, error) {
	p.mu.Lock()
	info := p.info
	p.mu.Unlock()
	if info != nil {
		return info, nil
	}
	h, err := p.waitHost(ctx)
	if err != nil {
		return nil, err
	}
	return newRoutes(h.Info()), nil
}

func (p *Platform) addSession(s *session) {
	p.sessionsMu.Lock()
	defer p.sessionsMu.Unlock()
	p.sessions.Set(s, struct{}{})
}

func (p *Platform) removeSession(s *session) {
	p.sessionsMu.Lock()
	defer p.sessionsMu.Unlock()
	p.sessions.Delete(s)
}

func (p *Platform) openSessions() []*session {
	p.sessionsMu.Lock()
	defer p.sessionsMu.Unlock()
	out := make([]*session, 0, p.sessions.Len())
	for s := range p.sessions.All() {
		out = append(out, s)
	}
	return out
}

// pingPeriod is how often clients that were silent for that long are pinged.
// One that says nothing for three periods, not even a pong, is cut off: 90 to 120 s after its last sign of life.
const pingPeriod = 30 * time.Second

func (p *Platform) pinger() {
	tick := time.NewTicker(pingPeriod)
	defer tick.Stop()
	ping := appendFrame(nil, websocket.PingMessage, "")
	for {
		select {
		case <-tick.C:
		case <-p.ctx.Done():
			return
		}
		now := p.epoch.Add(1)
		for _, s := range p.openSessions() {
			if s.engine != nil {
				continue // it has a heartbeat of its own
			}
			switch silent := now - s.epoch.Load(); {
			case silent > 3:
				s.cutOff()
			case silent > 0:
				s.out.send(ping)
				s.rest()
			}
		}
	}
}

// goingAway is the reason that clients see when the platform shuts down.
const goingAway = "server is shutting down"

// Shutdown ends the platform in good order: new requests get 503, sockets are
// closed with 1012, their rooms run OnClose, and what was written becomes
// durable. When ctx ends first, the rest is cut off. It does not close the store.
func (p *Platform) Shutdown(ctx context.Context) error {
	p.closing.Store(true)
	defer p.end()
	for _, s := range p.openSessions() {
		s.room.mu.Lock()
		s.shut(websocket.CloseServiceRestart, goingAway)
		s.room.mu.Unlock()
	}
	if err := p.drained(ctx, func() bool { return p.connections.Load() == 0 }); err != nil {
		for _, s := range p.openSessions() {
			if s.engine != nil {
				s.engine.cut()
			}
			s.out.abort()
		}
	}
	err := p.drained(ctx, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, r := range p.rooms.All() { // each time: the end of a socket may have woken it
			r.mu.Lock()
			r.evict()
			r.dropKept()
			r.mu.Unlock()
		}
		return p.rooms.Len() == 0
	})
	if err != nil {
		return err
	}
	p.end()
	p.parking.close()
	ended := make(chan struct{})
	go func() {
		p.background.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done(): // a cron function does not listen
		return ctx.Err()
	}
}

// drained waits until done says so.
func (p *Platform) drained(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.serve(w, r, p.opts.Next) }

// Before returns a handler that is the platform for what the platform has an answer to,
// and next for everything else. Options.Next is not asked.
func (p *Platform) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, next) })
}
