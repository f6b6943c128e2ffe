//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/operate"
)

// deploy is one deploy that is going on.
type deploy struct {
	a    *app
	q    *api.DeployRequest
	by   string // name of the token
	emit func(api.Event)
	plan *api.Plan
	id   string

	parties []string // of the version
	before  *record  // the app as it was
}

// prepareDeploy finds or makes the app and takes it for the caller, who gives it back.
func (h *Host) prepareDeploy(name string, q *api.DeployRequest) (*app, error) {
	if err := h.checkDeploy(name, q); err != nil {
		return nil, err
	}
	a, err := h.app(name)
	if err == nil {
		if err := a.take(); err != nil {
			return nil, err
		}
		if _, err := h.findBlob(name, a, q.Binary); err != nil {
			a.give()
			return nil, err
		}
		return a, nil
	}
	if _, err := h.findBlob(name, nil, q.Binary); err != nil {
		return nil, err
	}
	return h.make(name)
}

// deploy brings a version into an app that the caller has taken. It emits what happens; an error is the last of it.
func (h *Host) deploy(ctx context.Context, a *app, q *api.DeployRequest, by string, emit func(api.Event)) error {
	d := &deploy{a: a, q: q, by: by, emit: emit, id: q.Binary[:idDigits], before: a.record()}
	fresh := d.before.Version == ""
	err := d.run(ctx)
	if err != nil {
		err = errors.Join(err, a.change(func(r *record) error { r.unship(d.id, d.before); return nil }))
		a.say("error", fmt.Sprintf("deploy of version %s by %s: %v", d.id, by, err))
	}
	if err != nil && fresh && a.record().Version == "" {
		// What is not deployed is no app, unless somebody has set something for it.
		if vars, varsErr := a.vars(); varsErr == nil && len(vars) == 0 {
			return errors.Join(err, h.remove(a))
		}
	}
	return err
}

func (d *deploy) run(ctx context.Context) error {
	a, h := d.a, d.a.host
	blob, err := h.findBlob(a.name, a, d.q.Binary)
	if err != nil {
		return err
	}
	if blob != a.place.blob(d.q.Binary) {
		if err := os.Rename(blob, a.place.blob(d.q.Binary)); err != nil {
			return fmt.Errorf("take the upload: %w", err)
		}
	}
	says, err := h.lookAt(ctx, a, a.place.blob(d.q.Binary))
	if err != nil {
		return err
	}
	if d.plan, err = h.planOf(a, a.name, d.q, says); err != nil {
		return err
	}
	d.parties = says.Parties
	d.emit(api.Event{Kind: api.Checked, Version: d.id, Text: d.plan.Version.Label})
	if d.plan.Refused != "" {
		return problem(api.CodeRefused, fmt.Sprintf("version %s does not fit: %s", d.id, d.plan.Refused), "")
	}
	if d.plan.Destructive {
		if err := d.allowDestruction(ctx); err != nil {
			return err
		}
	}
	if err := d.configure(); err != nil {
		return err
	}
	if len(d.plan.Migrations) > 0 {
		d.emit(api.Event{Kind: api.Migrating, Version: d.id, Text: fmt.Sprintf("%d migrations", len(d.plan.Migrations))})
	}
	switch {
	case d.plan.Same && d.plan.Restart == "" && a.status().state == api.Running:
		d.emit(api.Event{Kind: api.Remark, Text: "this is the version that serves"})
		return d.shipped(true)
	case d.plan.Serving == nil || d.plan.Restart != "" || d.plan.Same:
		return d.restart(ctx)
	}
	return d.handOver(ctx)
}

// allowDestruction makes sure that rooms may be deleted, and keeps what was in them.
func (d *deploy) allowDestruction(ctx context.Context) error {
	if !d.q.Destructive {
		return problem(api.CodeDestructive, fmt.Sprintf("version %s deletes rooms: see its migrations in the plan", d.id), "allow it if it is meant")
	}
	if d.plan.Serving == nil {
		return nil // there are none
	}
	b, err := d.a.backUp(ctx, backupBeforeDeploy)
	if err != nil {
		return fmt.Errorf("back up before rooms are deleted: %w", err)
	}
	d.emit(api.Event{Kind: api.BackedUp, Text: b.ID})
	return nil
}

// configure sets variables and host names.
func (d *deploy) configure() error {
	if len(d.plan.VarsSet) > 0 {
		vars, err := d.a.vars()
		if err != nil {
			return err
		}
		for name, value := range d.q.Vars {
			vars[name] = value
		}
		if err := d.a.setVars(vars); err != nil {
			return err
		}
	}
	if err := d.a.writeDotEnv(); err != nil {
		return err
	}
	if d.q.Domains != nil {
		return d.a.setDomains(d.q.Domains)
	}
	return nil
}

// handOver puts the version into the app that runs: no socket closes.
func (d *deploy) handOver(ctx context.Context) error {
	a := d.a
	a.mark(true)
	defer a.mark(false)
	// Its program has to be there when the app is started again while the deploy goes on.
	if err := d.shipped(false); err != nil {
		return err
	}
	err := a.upgrade(ctx, d.q.Binary, func(p operate.Progress) {
		a.tell(p, d.emit)
		if p.Notice != nil && p.Notice.Kind == "handed over" && p.Notice.Version == d.id {
			d.healthy(ctx)
			d.emit(api.Event{Kind: api.Probation, Version: d.id, Seconds: int(a.probation() / time.Second)})
		}
	})
	if p := (*api.Problem)(nil); err != nil && !errors.As(err, &p) {
		err = problem(api.CodeUnhealthy, err.Error(), "the version before serves")
	}
	if err != nil {
		return err
	}
	return d.shipped(true)
}

// healthy says so if the app answers.
func (d *deploy) healthy(ctx context.Context) {
	if status, _, err := d.a.get(ctx, d.a.place.adminSocket(), "/readyz"); err == nil && status == 200 {
		d.emit(api.Event{Kind: api.Healthy, Version: d.id, URL: d.plan.URL})
	}
}

// restart ends the app if it runs, and starts it as the version. If that does not go well, the version before is started
// again, unless it would not find its rooms.
func (d *deploy) restart(ctx context.Context) error {
	a, before := d.a, d.before
	if d.plan.Serving != nil {
		d.emit(api.Event{Kind: api.Remark, Text: "the app is restarted, which closes its sockets with 1012: " + d.plan.Restart})
	}
	d.emit(api.Event{Kind: api.Launching, Version: d.id})
	if err := d.shipped(true); err != nil {
		return err
	}
	err := a.await(ctx, a.resume())
	if err == nil && *a.settings().Paused {
		d.emit(api.Event{Kind: api.Remark, Text: "the app is paused: it does not run"})
		return nil
	}
	if err == nil {
		d.healthy(ctx)
		if d.plan.Serving == nil || d.plan.Same {
			return nil
		}
		d.emit(api.Event{Kind: api.Probation, Version: d.id, Seconds: int(a.probation() / time.Second)})
		err = a.watch(ctx, a.probation())
	}
	if err == nil || errors.Is(err, errStopped) {
		return err
	}
	reason := err.Error()
	if len(d.plan.Migrations) > 0 || d.plan.Same || before.Version == "" {
		if before.Version == "" {
			if err := a.change(func(r *record) error { r.Version = ""; return nil }); err != nil {
				return err
			}
			_ = a.await(ctx, a.run(""))
		}
		return problem(api.CodeUnhealthy, fmt.Sprintf("version %s does not serve: %s", d.id, reason), "")
	}
	if err := a.change(func(r *record) error { r.Version = before.Version; return nil }); err != nil {
		return err
	}
	if err := a.await(ctx, a.resume()); err != nil {
		return problem(api.CodeUnhealthy, fmt.Sprintf("version %s does not serve: %s; nor does the version before: %v", d.id, reason, err), "")
	}
	d.emit(api.Event{Kind: api.RolledBack, Version: before.Version, Reason: reason})
	return problem(api.CodeUnhealthy, fmt.Sprintf("version %s does not serve, and version %s serves again: %s", d.id, before.Version, reason), "")
}

// shipped records the version; serves makes it the one that the app is started with.
func (d *deploy) shipped(serves bool) error {
	a := d.a
	err := a.change(func(r *record) error {
		if serves {
			r.Version, r.EnvChanged = d.id, false
		}
		if v, ok := r.find(d.id); ok && serves && v.By == d.by {
			return nil // noted when it began
		}
		r.ship(shipped{
			ID: d.id, Hash: d.q.Binary, Label: d.plan.Version.Label, Commit: d.plan.Version.Commit, Modified: d.plan.Version.Modified,
			Message: d.q.Message, Deployed: time.Now().UTC(), By: d.by, Parties: d.parties,
		})
		return nil
	})
	if err == nil && serves {
		a.cleanBlobs()
	}
	return err
}

// cleanBlobs removes programs that no version of the record has.
func (a *app) cleanBlobs() {
	r := a.record()
	entries, err := os.ReadDir(a.place.blobs())
	for _, e := range entries {
		if !slices.ContainsFunc(r.Versions, func(s shipped) bool { return s.Hash == e.Name() }) {
			err = errors.Join(err, os.Remove(a.place.blob(e.Name())))
		}
	}
	if err != nil {
		a.host.log.Warn("old programs stay", "app", a.name, "err", err)
	}
}

// mark says whether a deploy goes on.
func (a *app) mark(deploys bool) {
	a.mu.Lock()
	a.deploys = deploys
	a.mu.Unlock()
}

// await waits for what comes of an aim.
func (a *app) await(ctx context.Context, first <-chan error) error {
	select {
	case err := <-first:
		return err
	case <-ctx.Done():
		return errStopped
	}
}

// lookAgain is how often an app on probation is asked whether it still has the same host process.
const lookAgain = 50 * time.Millisecond

// watch waits some time, and returns how the app has crashed meanwhile, if it has: its process, or the one in it that has the
// rooms, which the app starts again by itself.
func (a *app) watch(ctx context.Context, d time.Duration) error {
	timer, ticks := time.NewTimer(d), time.NewTicker(lookAgain)
	defer timer.Stop()
	defer ticks.Stop()
	before, host, over := a.status().starts, 0, false
	for {
		s := a.status()
		if s.starts != before {
			return errors.New(s.problem)
		}
		st, err := a.standing(ctx)
		switch {
		case err != nil && ctx.Err() == nil: // the next look tells more
		case err == nil && host == 0:
			host = st.Host
		case err == nil && st.Host != host:
			return fmt.Errorf("its rooms crashed%s", a.lastWords())
		}
		if over {
			return nil
		}
		select {
		case <-ticks.C:
		case <-s.turned:
		case <-timer.C:
			over = true // once more
		case <-ctx.Done():
			return errStopped
		}
	}
}
