package platform

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// metrics count what happens, partyMetrics what happens in the rooms of one party. Whoever counts pays an atomic
// addition; what can be found out by looking, like how many rooms there are, is looked at when somebody asks.
type metrics struct {
	failedAt atomic.Int64 // when a commit last failed, in Unix nanoseconds; 0 after one that has not
	requests [6]atomic.Int64
	request  histogram
}

type partyMetrics struct {
	in, out, slow atomic.Int64
	events        [turnKinds]atomic.Int64 // by kind, without messages, which are in
	commits       atomic.Int64
	failed        atomic.Int64 // commits that the store could not make
	fenced        atomic.Int64 // commits that it refused, since the room had failed or had another owner
	late          atomic.Int64 // alarms
	turn, queue   [turnKinds]histogram
	gate, lag     histogram
}

// timerKind follows the kinds of events: turns that a room's own timers and Do begin.
const (
	timerKind = int(link.Alarm) + 1
	turnKinds = timerKind + 1
)

// kindLabel is what a kind of turn is called.
func kindLabel(kind int) string {
	if kind == timerKind {
		return "timer"
	}
	return link.Kind(kind).String()
}

// metricsOf returns the metrics of a party. Called with mu held.
func (p *Platform) metricsOf(party string) *partyMetrics {
	m := p.parties[party]
	if m == nil {
		m = new(partyMetrics)
		p.parties[party] = m
	}
	return m
}

// lateAlarm is how much later than asked an alarm's turn begins to count as late.
const lateAlarm = time.Second

// measure has the event's turn timed, if it is one of those that are: one in link.TurnSample of messages, as there may be
// many, and all others.
func measure(ev *link.Event) {
	if ev.Kind != link.Message || ev.Seq%link.TurnSample == 0 {
		ev.Timing = new(link.Timing)
		ev.Timing.Wait()
	}
}

// delivered takes an event that its room has taken. In process its turn has ended.
func (m *partyMetrics) delivered(ev *link.Event) {
	if ev.Kind != link.Message {
		m.events[ev.Kind].Add(1)
	}
	t := ev.Timing
	if t == nil || !t.Begun {
		return // not measured, or the host is elsewhere
	}
	m.timed(int(ev.Kind), t)
	if ev.Kind == link.Alarm && ev.Attempt == 0 {
		lag := max(0, t.First.Sub(ev.At))
		m.lag.observe(lag)
		if lag > lateAlarm {
			m.late.Add(1)
		}
	}
}

func (m *partyMetrics) timed(kind int, t *link.Timing) {
	m.turn[kind].observe(t.Ran)
	m.queue[kind].observe(t.Queued)
}

// OwnTurn implements link.TurnWatcher.
func (s *seat) OwnTurn(t *link.Timing) {
	m := s.room.stats
	m.events[timerKind].Add(1)
	if t != nil {
		m.timed(timerKind, t)
	}
}

// counted takes a commit that is done, and how long its outputs waited for it.
func (r *room) counted(err error, waited time.Duration) {
	m, failedAt := r.stats, &r.p.metrics.failedAt
	m.gate.observe(waited)
	switch {
	case err == nil:
		m.commits.Add(1)
		if failedAt.Load() != 0 {
			failedAt.Store(0)
		}
	case errors.Is(err, storage.ErrFenced), errors.Is(err, storage.ErrClosed):
		m.fenced.Add(1)
	default:
		m.failed.Add(1)
		failedAt.Store(time.Now().UnixNano())
	}
}

// answered takes a request from outside that has been answered.
func (m *metrics) answered(status int, took time.Duration) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0 // no such status: counted as "other"
	}
	m.requests[class].Add(1)
	if class != 1 { // an upgrade is not an answer, its socket goes on
		m.request.observe(took)
	}
}

// bounds are the upper ends of the buckets of all histograms, the last one of which has none.
var bounds = [...]time.Duration{
	10 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 5 * time.Second, 10 * time.Second,
}

// histogram counts durations. It is safe for concurrent use.
type histogram struct {
	buckets [len(bounds) + 1]atomic.Int64
	nanos   atomic.Int64 // sum
}

func (h *histogram) observe(d time.Duration) {
	n := 0
	for n < len(bounds) && d > bounds[n] {
		n++
	}
	h.buckets[n].Add(1)
	h.nanos.Add(int64(d))
}
