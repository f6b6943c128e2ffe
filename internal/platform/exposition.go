package platform

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// family is one metric, as docs/metrics.md describes it.
type family struct {
	name, kind, help string
	write            func(*exposition)
}

// families are all metrics there are. A test compares them with the documentation.
func (p *Platform) families() []family {
	m := &p.metrics
	all := []family{
		{"party_rooms", "gauge", "Rooms that use memory, by state: live ones have an instance, hibernated ones have open sockets only.", func(x *exposition) {
			for _, party := range slices.Sorted(maps.Keys(x.rooms)) {
				x.sample("", float64(x.rooms[party].live), "party", party, "state", "live")
				x.sample("", float64(x.rooms[party].hibernated), "party", party, "state", "hibernated")
			}
		}},
		{"party_connections", "gauge", "Open connections that are let in, by party.", func(x *exposition) {
			for _, party := range slices.Sorted(maps.Keys(x.rooms)) {
				x.sample("", float64(x.rooms[party].connections), "party", party)
			}
		}},
		perParty("party_messages_received_total", "Messages from clients.", func(m *partyMetrics) *atomic.Int64 { return &m.in }),
		perParty("party_messages_sent_total", "Messages to clients; a broadcast counts once for each receiver.", func(m *partyMetrics) *atomic.Int64 { return &m.out }),
		perParty("party_slow_connections_total", "Connections closed with 1013, because they read too slowly.", func(m *partyMetrics) *atomic.Int64 { return &m.slow }),
		{"party_events_total", "counter", "Events that rooms have taken, by kind; timer stands for turns that they began themselves, with After, Every and Do.", func(x *exposition) {
			x.eachKind(func(m *partyMetrics, kind int, labels ...string) {
				n := m.events[kind].Load()
				if link.Kind(kind) == link.Message {
					n = m.in.Load()
				}
				x.sample("", float64(n), labels...)
			})
		}},
		{"party_turn_seconds", "histogram", "How long turns ran, without their awaits, by kind of event. Of messages and timers, one in 16 is measured.", func(x *exposition) {
			x.eachKind(func(m *partyMetrics, kind int, labels ...string) { x.histogram(&m.turn[kind], labels...) })
		}},
		{"party_queue_seconds", "histogram", "How long events waited for their room: for other turns, for its start, and for its return after an await. Measured with party_turn_seconds.", func(x *exposition) {
			x.eachKind(func(m *partyMetrics, kind int, labels ...string) { x.histogram(&m.queue[kind], labels...) })
		}},
		{"party_gate_wait_seconds", "histogram", "How long the output of turns that wrote was held back until it was durable.", func(x *exposition) {
			x.each(func(m *partyMetrics, labels ...string) { x.histogram(&m.gate, labels...) })
		}},
		{"party_commits_total", "counter", "Commits, by result: ok; failed, when the store could not write; refused, when the room had failed before, had another owner, or the store was closed.", func(x *exposition) {
			x.each(func(m *partyMetrics, labels ...string) {
				x.sample("", float64(m.commits.Load()), append(labels, "result", "ok")...)
				x.sample("", float64(m.failed.Load()), append(labels, "result", "failed")...)
				x.sample("", float64(m.fenced.Load()), append(labels, "result", "refused")...)
			})
		}},
		{"party_alarms", "gauge", "Alarms, by state: scheduled, or due, when they are being delivered.", func(x *exposition) {
			scheduled, due := p.clock.pending()
			x.sample("", float64(scheduled), "state", "scheduled")
			x.sample("", float64(due), "state", "due")
		}},
		{"party_alarm_lag_seconds", "histogram", "How much later than asked the turns of alarms began. Retries do not count.", func(x *exposition) {
			x.each(func(m *partyMetrics, labels ...string) { x.histogram(&m.lag, labels...) })
		}},
		perParty("party_alarms_late_total", "Alarms whose turn began more than a second later than asked.", func(m *partyMetrics) *atomic.Int64 { return &m.late }),
		{"party_requests_total", "counter", "HTTP requests that were answered, by class of status. An upgrade is a 1xx.", func(x *exposition) {
			for class := 1; class < len(m.requests); class++ {
				x.sample("", float64(m.requests[class].Load()), "code", strconv.Itoa(class)+"xx")
			}
			if n := m.requests[0].Load(); n > 0 {
				x.sample("", float64(n), "code", "other")
			}
		}},
		{"party_request_seconds", "histogram", "How long HTTP requests took, without upgrades.", func(x *exposition) { x.histogram(&m.request) }},
		{"party_draining", "gauge", "1 while the server shuts down, else 0.", func(x *exposition) {
			n := 0.0
			if p.closing.Load() {
				n = 1
			}
			x.sample("", n)
		}},
	}
	if s, ok := p.store.(grouping); ok {
		all = append(all, counter("party_commit_groups_total", "Groups that commits were written in, each with one sync of the disk. Commits divided by groups is the size of a group.",
			func() int64 { return int64(s.Groups()) }))
	}
	return all
}

// grouping is a store that can tell how many groups of commits it has written.
type grouping interface{ Groups() uint64 }

// perParty is a counter that each party has.
func perParty(name, help string, of func(*partyMetrics) *atomic.Int64) family {
	return family{name, "counter", help, func(x *exposition) {
		x.each(func(m *partyMetrics, labels ...string) { x.sample("", float64(of(m).Load()), labels...) })
	}}
}

func counter(name, help string, value func() int64) family {
	return family{name, "counter", help, func(x *exposition) { x.sample("", float64(value())) }}
}

// WriteMetrics writes all metrics in Prometheus' text format, version 0.0.4. Its cost grows with the number
// of rooms in memory; no lock is held for longer than it takes to look at one of them.
func (p *Platform) WriteMetrics(w io.Writer) error {
	x := &exposition{w: bufio.NewWriter(w), rooms: p.census(), parties: p.partyMetrics()}
	for _, f := range p.families() {
		x.name = f.name
		x.words("# HELP ", f.name, " ", f.help, "\n# TYPE ", f.name, " ", f.kind, "\n")
		f.write(x)
	}
	return x.w.Flush()
}

// roomCount says how many rooms of a party are in which state.
type roomCount struct{ live, hibernated, connections int }

// socketLabel stands for the party of socket functions, which has no name. No party can be called that.
const socketLabel = "_socket"

func partyLabel(party string) string {
	if party == link.SocketParty {
		return socketLabel
	}
	return party
}

// partyMetrics returns the metrics of the host's parties, and of others that have been there.
func (p *Platform) partyMetrics() map[string]*partyMetrics {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.info != nil {
		for name := range p.info.parties {
			p.metricsOf(name)
		}
	}
	all := make(map[string]*partyMetrics, len(p.parties))
	for name, m := range p.parties {
		all[partyLabel(name)] = m
	}
	return all
}

// census counts rooms by party. Those of the host are there even if there are none of them.
func (p *Platform) census() map[string]*roomCount {
	counts := make(map[string]*roomCount)
	p.mu.Lock()
	if p.info != nil {
		for name := range p.info.parties {
			counts[name] = new(roomCount)
		}
	}
	rooms := make([]*room, 0, p.rooms.Len())
	for _, r := range p.rooms.All() {
		rooms = append(rooms, r)
	}
	p.mu.Unlock()
	for _, r := range rooms {
		name := partyLabel(r.key.Party)
		n := counts[name]
		if n == nil {
			n = new(roomCount)
			counts[name] = n
		}
		r.mu.Lock()
		n.connections += len(r.members)
		switch {
		case r.phase != asleep:
			n.live++
		case len(r.members) > 0:
			n.hibernated++
		}
		r.mu.Unlock()
	}
	return counts
}

// pending counts alarms: those that wait for their time, and those that are being delivered.
func (c *clock) pending() (scheduled, due int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue), c.byKey.Len() - len(c.queue)
}

// exposition writes samples. Errors show when it is flushed.
type exposition struct {
	w     *bufio.Writer
	name  string // of the family
	rooms map[string]*roomCount

	parties map[string]*partyMetrics // by label
}

// each calls f for all parties, in the order of their names.
func (x *exposition) each(f func(m *partyMetrics, labels ...string)) {
	for _, party := range slices.Sorted(maps.Keys(x.parties)) {
		f(x.parties[party], "party", party)
	}
}

// eachKind calls f for all parties and kinds of turns.
func (x *exposition) eachKind(f func(m *partyMetrics, kind int, labels ...string)) {
	x.each(func(m *partyMetrics, labels ...string) {
		for kind := range turnKinds {
			f(m, kind, append(labels, "kind", kindLabel(kind))...)
		}
	})
}

func (x *exposition) words(all ...string) {
	for _, s := range all {
		_, _ = x.w.WriteString(s) // see Flush
	}
}

// escapes are those of label values.
var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// sample writes one line. labels are names and values.
func (x *exposition) sample(suffix string, value float64, labels ...string) {
	x.words(x.name, suffix)
	before := "{"
	for n := 0; n < len(labels); n += 2 {
		x.words(before, labels[n], `="`, escapes.Replace(labels[n+1]), `"`)
		before = ","
	}
	if len(labels) > 0 {
		x.words("}")
	}
	x.words(" ", strconv.FormatFloat(value, 'g', -1, 64), "\n")
}

func (x *exposition) histogram(h *histogram, labels ...string) {
	sum := float64(h.nanos.Load()) / float64(time.Second)
	count := int64(0)
	for n := range h.buckets {
		count += h.buckets[n].Load()
		end := "+Inf"
		if n < len(bounds) {
			end = strconv.FormatFloat(bounds[n].Seconds(), 'g', -1, 64)
		}
		x.sample("_bucket", float64(count), append(slices.Clip(labels), "le", end)...)
	}
	x.sample("_sum", sum, labels...)
	x.sample("_count", float64(count), labels...)
}
