//go:build unix

package hosting

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/journal"
)

// defaultSettings are those of an app of which nothing was said.
func (h *Host) defaultSettings() api.Settings {
	return api.Settings{
		Memory: new(int64(0)), OpenFiles: new(int64(65536)), BodyBytes: new(int64(0)),
		LogBytes: new(int64(64 << 20)), LogDays: new(14), LogRate: new(1000),
		BackupCron: new(""), BackupKeep: new(7),
		Probation: new(int(h.opts.Probation / time.Second)), NoRequests: new(false), Paused: new(false),
	}
}

// over puts what is said in a place of what is there.
func over[T any](there **T, said *T) {
	if said != nil {
		*there = said
	}
}

func merge(into *api.Settings, s api.Settings) {
	over(&into.Memory, s.Memory)
	over(&into.OpenFiles, s.OpenFiles)
	over(&into.BodyBytes, s.BodyBytes)
	over(&into.LogBytes, s.LogBytes)
	over(&into.LogDays, s.LogDays)
	over(&into.LogRate, s.LogRate)
	over(&into.BackupCron, s.BackupCron)
	over(&into.BackupKeep, s.BackupKeep)
	over(&into.Probation, s.Probation)
	over(&into.NoRequests, s.NoRequests)
	over(&into.Paused, s.Paused)
}

// settings are an app's, none of them nil.
func (a *app) settings() api.Settings {
	s := a.host.defaultSettings()
	merge(&s, a.record().Settings)
	return s
}

func (a *app) probation() time.Duration {
	return max(time.Duration(*a.settings().Probation)*time.Second, a.host.opts.leastProbation())
}

// leastProbation is less than a second only if the host's default is, for tests.
func (o *Options) leastProbation() time.Duration { return min(o.Probation, time.Second) }

func (a *app) logOptions() journal.Options {
	s := a.settings()
	return journal.Options{Bytes: *s.LogBytes, Age: time.Duration(*s.LogDays) * 24 * time.Hour, Rate: *s.LogRate}
}

// checkSettings says what is wrong with settings that somebody wants.
func checkSettings(s api.Settings) error {
	if s.BackupCron != nil && *s.BackupCron != "" {
		if _, err := cron.ParseStandard(*s.BackupCron); err != nil {
			return problem(api.CodeBadRequest, fmt.Sprintf("backup_cron %q: %v", *s.BackupCron, err), `for example "0 3 * * *": every night at three, UTC`)
		}
	}
	return firstOf(
		within("memory", s.Memory, 0, 1<<50, 32<<20),
		within("open_files", s.OpenFiles, 64, 1<<20, 0),
		within("body_bytes", s.BodyBytes, 0, 1<<40, 0),
		within("log_bytes", s.LogBytes, 64<<10, 1<<40, 0),
		within("log_days", s.LogDays, 1, 3650, 0),
		within("log_rate", s.LogRate, 1, 1_000_000, 0),
		within("backup_keep", s.BackupKeep, 1, 1000, 0),
		within("probation_s", s.Probation, 0, 3600, 0),
	)
}

// within says why a number is not one from least to most, or, if above is not 0, neither least nor at least above.
func within[N int | int64](name string, n *N, least, most, above N) error {
	switch {
	case n == nil || *n == least && above != 0:
		return nil
	case above != 0 && *n < above:
		return problem(api.CodeBadRequest, fmt.Sprintf("%s %d: want %d, or from %d to %d", name, *n, least, above, most), "")
	case *n < least || *n > most:
		return problem(api.CodeBadRequest, fmt.Sprintf("%s %d: want a number from %d to %d", name, *n, least, most), "")
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// set changes an app's settings. Limits of its process take effect with its next start.
func (a *app) set(s api.Settings) error {
	if err := checkSettings(s); err != nil {
		return err
	}
	before := *a.settings().Paused
	err := a.change(func(r *record) error {
		merge(&r.Settings, s)
		return nil
	})
	if err != nil {
		return err
	}
	a.log.Set(a.logOptions())
	if now := *a.settings().Paused; now != before {
		a.resume()
	}
	return nil
}

// resume runs what the app's record says, or nothing when it is paused, and returns what comes of it.
func (a *app) resume() <-chan error {
	r := a.record()
	hash := ""
	if v, ok := r.find(r.Version); ok && !*a.settings().Paused {
		hash = v.Hash
	}
	return a.run(hash)
}
