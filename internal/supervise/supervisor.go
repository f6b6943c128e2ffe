package supervise

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
)

// Platform is what a supervisor needs of one.
type Platform interface {
	SetHost(h link.Host) <-chan struct{}
}

// Options of a supervisor. What is not said to have a default is required.
type Options struct {
	Platform Platform
	Logger   *slog.Logger // default slog.Default()
	Dir      string       // working directory of hosts; default: this process's
	Env      []string     // of hosts, whole
	Output   *os.File     // what hosts print; default: it is dropped

	// History is what has served before, oldest first; the last one is started.
	History []Entry
	// Probation is how long a new version must go on without Crashes crashes. Defaults 30 s and 1.
	Probation time.Duration
	Crashes   int

	// Init is what a host of a version is told.
	Init func(v Version) (stream.Init, error)
	// Prepare is called when a host answers, before it gets the rooms, on a goroutine of its own. With an
	// error it never gets them. moved is as in Entry. If it has taken the host away from the platform, it need not
	// bring it back.
	Prepare func(ctx context.Context, v Version, info link.Info) (moved bool, err error)
	// Adopted is called when a version gets the rooms, before any of its events. It must not block.
	Adopted func(v Version)
	// Record is called when the history has changed. It may block for a disk.
	Record func(history []Entry)
}

// Supervisor runs hosts. Its methods are safe for concurrent use.
type Supervisor struct {
	// set by New, then read-only
	opts   Options
	log    *slog.Logger
	events chan event
	handed chan platform.HandOver
	// counting has one place: fitness has something new.
	counting chan struct{}
	fitness  fitness
	done     chan struct{} // closed when the loop has ended
	hosting  context.Context
	endAll   context.CancelFunc
	tasks    sync.WaitGroup

	// owned by the loop
	state    state
	hosts    map[int]*hosted
	replaced chan struct{} // closed when the platform gets another host

	mu       sync.Mutex // guards what follows
	asks     int
	watchers map[chan Notice]struct{}
	status   Status
}

// Status is what a supervisor does at the moment.
type Status struct {
	Serving  string  // version that has the rooms, or is to
	PID      int     // of its process; 0 while there is none
	Starting string  // version that is being started beside it
	History  []Entry // oldest first
	// Unfit are the first rooms that Serving cannot migrate, UnfitRooms is how many there are in all.
	Unfit      []Unfit
	UnfitRooms int
}

// ErrStopped says that the supervisor is ending.
var ErrStopped = errors.New("the server is shutting down")

// New makes a supervisor, which does nothing until Start.
func New(o Options) *Supervisor {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Probation <= 0 {
		o.Probation = 30 * time.Second
	}
	if o.Crashes <= 0 {
		o.Crashes = 1
	}
	s := &Supervisor{
		opts: o, log: o.Logger, events: make(chan event), handed: make(chan platform.HandOver, 1), counting: make(chan struct{}, 1), done: make(chan struct{}),
		hosts: make(map[int]*hosted), watchers: make(map[chan Notice]struct{}),
		state: state{limit: o.Crashes, history: slices.Clone(o.History)},
	}
	s.hosting, s.endAll = context.WithCancel(context.Background())
	return s
}

// Start starts the last version of the history and returns when it serves, or with an
// error when it could not; then the supervisor is stopped.
func (s *Supervisor) Start(ctx context.Context) error {
	notices, end := s.watch()
	defer end()
	var do []action
	s.state, do = start(s.state, s.state.top().Version, first)
	go s.loop(do)
	s.tasks.Go(s.count)
	for {
		select {
		case n := <-notices:
			switch n.Kind {
			case Serving:
				return nil
			case Failed:
				s.Stop(ctx)
				return errors.New(n.Reason)
			}
		case <-ctx.Done():
			s.Stop(ctx)
			return ctx.Err()
		}
	}
}

func (s *Supervisor) loop(do []action) {
	defer close(s.done)
	for {
		for _, a := range do {
			s.perform(a)
		}
		s.publish()
		if s.state.stopping {
			return
		}
		ev := <-s.events
		s.state, do = next(s.state, ev)
		if gone, ok := ev.(exited); ok {
			delete(s.hosts, gone.Host)
		}
	}
}

// verdictTime is for how long evidence is collected, after the first room that a version on probation cannot migrate.
// Rooms that it can migrate are of no use to the version before.
const verdictTime = 2 * time.Second

// healthTime is how long code has to run before a crash is no longer one in a row.
const healthTime = 10 * time.Second

func (s *Supervisor) perform(a action) {
	switch a := a.(type) {
	case startHost:
		s.startHost(a)
	case killHost:
		s.hosts[a.Host].kill()
	case retireHost:
		close(s.hosts[a.Host].retire)
	case attach:
		s.attach(a.Host)
	case detach:
		s.setHost(nil)
	case startTimer:
		s.sendAfter(a.Delay, due{a.Timer})
	case watchHealth:
		s.sendAfter(healthTime, healthy(a))
	case startProbation:
		s.sendAfter(s.opts.Probation, proven(a))
	case startVerdict:
		s.sendAfter(verdictTime, verdict(a))
	case record:
		s.opts.Record(a.History)
	case tell:
		s.tell(a.Notice)
	default:
		panic("supervise: an action that nobody performs")
	}
}

// attach gives the rooms to a host and says when the last one has moved.
func (s *Supervisor) attach(host host) {
	h := s.hosts[host.id]
	s.opts.Adopted(h.version)
	s.fitness.begin(host)
	done := s.setHost(h.link)
	replaced := s.replaced
	s.tasks.Go(func() {
		select {
		case <-done:
			s.send(moved{h.id})
			s.tellHandOver(h.version)
		case <-replaced:
		case <-s.done:
		}
	})
}

// setHost changes the platform's host; nil takes it away.
func (s *Supervisor) setHost(h link.Host) <-chan struct{} {
	if s.replaced != nil {
		close(s.replaced)
	}
	s.replaced = make(chan struct{})
	select { // a sum that nobody has asked for is of an earlier change
	case <-s.handed:
	default:
	}
	return s.opts.Platform.SetHost(h)
}

// HandedOver takes what the platform says when a change of host is done. It does not block.
func (s *Supervisor) HandedOver(sum platform.HandOver) {
	select {
	case s.handed <- sum:
	default:
	}
}

// sumTime is how long the platform may take to sum a hand-over up when it is done.
const sumTime = 100 * time.Millisecond

func (s *Supervisor) tellHandOver(v Version) {
	n := Notice{Kind: HandedOver, Version: v.ID}
	timer := time.NewTimer(sumTime)
	defer timer.Stop()
	select {
	case sum := <-s.handed:
		n.Rooms, n.Sockets, n.Pause = sum.Rooms, sum.Sessions, sum.Pause
	case <-timer.C:
	}
	s.tell(n)
}

// send tells the loop of an event, unless it has ended.
func (s *Supervisor) send(ev event) {
	select {
	case s.events <- ev:
	case <-s.done:
	}
}

// sendAfter tells the loop of an event when some time has passed.
func (s *Supervisor) sendAfter(d time.Duration, ev event) {
	s.tasks.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			s.send(ev)
		case <-s.done:
		}
	})
}

// Stop lets the host that has the rooms end by itself, until ctx ends, and returns when no
// host runs any more. The platform should have shut down before.
func (s *Supervisor) Stop(ctx context.Context) {
	s.send(stop{})
	<-s.done
	if h := s.hosts[s.state.current.id]; h != nil {
		close(h.retire)
		select {
		case <-h.ended:
		case <-ctx.Done():
		}
	}
	s.endAll()
	s.tasks.Wait()
}
