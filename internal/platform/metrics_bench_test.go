package platform

import (
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// BenchmarkTurnMetrics is what counting and timing adds to a turn: to most messages, to those that are measured,
// and to other events, which all are.
func BenchmarkTurnMetrics(b *testing.B) {
	for _, bench := range []struct {
		name string
		kind link.Kind
		seq  uint64
	}{{"message", link.Message, 1}, {"measured message", link.Message, link.TurnSample}, {"request", link.Request, 1}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			m := new(partyMetrics)
			ev := &link.Event{Kind: bench.kind, Seq: bench.seq}
			for b.Loop() {
				ev.Timing = nil
				m.in.Add(1)
				measure(ev)
				ev.Timing.Begin()
				ev.Timing.End()
				m.delivered(ev)
			}
		})
	}
	b.Run("commit", func(b *testing.B) {
		b.ReportAllocs()
		r := &room{p: new(Platform), stats: new(partyMetrics)}
		for b.Loop() {
			r.counted(nil, time.Millisecond)
		}
	})
}

// TestMessagesAreCountedWithoutMemory holds for all but the one message in 16 that is measured.
func TestMessagesAreCountedWithoutMemory(t *testing.T) {
	m, ev := new(partyMetrics), &link.Event{Kind: link.Message, Seq: 1}
	if n := testing.AllocsPerRun(100, func() {
		m.in.Add(1)
		measure(ev)
		ev.Timing.Begin()
		ev.Timing.End()
		m.delivered(ev)
	}); n != 0 {
		t.Errorf("counting a message allocates %v times", n)
	}
}
