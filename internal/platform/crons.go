package platform

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/goparty-dev/party/internal/link"
)

// schedule is one cron of the manifest, in UTC. A tick that finds the last one still
// running is left out, and so is one that passes while the server is down.
type schedule struct {
	name    string
	when    cron.Schedule
	running sync.Mutex
}

// schedules parses the manifest's crons.
func schedules(crons map[string]string) ([]*schedule, error) {
	var out []*schedule
	for name, expr := range crons {
		when, err := cron.ParseStandard(sundayAsZero(expr))
		if err != nil {
			return nil, fmt.Errorf("cron %q: %w", name, err)
		}
		out = append(out, &schedule{name: name, when: when})
	}
	return out, nil
}

// sundayAsZero rewrites the last field of an expression for the parser, which
// does not know Sunday as 7.
func sundayAsZero(expr string) string {
	fields := strings.Fields(expr)
	if len(fields) != 5 || !strings.Contains(fields[4], "7") {
		return expr
	}
	days := strings.Split(fields[4], ",")
	for n, d := range days {
		from, to, isRange := strings.Cut(d, "-")
		switch {
		case isRange && to == "7":
			days[n] = from + "-6,0"
		case d == "7":
			days[n] = "0"
		}
	}
	fields[4] = strings.Join(days, ",")
	return strings.Join(fields, " ")
}

// runCrons starts each schedule's ticks, until the platform ends.
func (p *Platform) runCrons(all []*schedule) {
	for _, s := range all {
		p.background.Go(func() {
			timer := time.NewTimer(0)
			defer timer.Stop()
			<-timer.C
			for {
				next := s.when.Next(time.Now().UTC())
				if next.IsZero() {
					return // never again, like February 30
				}
				timer.Reset(time.Until(next))
				select {
				case <-timer.C:
					p.background.Go(func() { p.tick(s, next) })
				case <-p.ctx.Done():
					return
				}
			}
		})
	}
}

// tick runs a cron function once.
func (p *Platform) tick(s *schedule, due time.Time) {
	if p.closing.Load() {
		return
	}
	if !s.running.TryLock() {
		p.log.Warn("cron left out: its last run has not ended", "cron", s.name)
		return
	}
	defer s.running.Unlock()
	if _, err := p.call(link.Call{Kind: link.CallCron, Cron: s.name, At: due}, nil, nil); err != nil && p.ctx.Err() == nil {
		p.log.Error("cron failed", "cron", s.name, "err", err)
	}
}
