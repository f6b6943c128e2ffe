//go:build unix

package hosting

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func (h *Host) whoami(c *call) error {
	return c.answer(api.Whoami{Token: *c.token, Host: api.Host{
		API: api.Revision, Party: h.opts.Version, System: system(), Domain: h.opts.Domain, MaxBlob: h.opts.MaxBlob,
	}})
}

func (h *Host) listApps(c *call) error {
	list := []api.App{}
	for _, a := range h.list() {
		if c.token.Allows(api.Read, a.name) {
			list = append(list, a.summary())
		}
	}
	return c.answer(list)
}

// summary is an app as it stands in a list.
func (a *app) summary() api.App {
	r, s := a.record(), a.status()
	out := api.App{Name: a.name, URL: a.host.url(a.name, r.Domains), State: s.state, Created: r.Created, Problem: s.problem}
	out.App, out.Preview = api.SplitInstance(a.name)
	if v, ok := r.find(r.Version); ok {
		out.Version = v.version(servingState)
	}
	if s.state == api.Crashed {
		out.RetryAt = &s.retryAt
	}
	return out
}

func (h *Host) showApp(c *call, a *app) error {
	vars, err := a.vars()
	if err != nil {
		return err
	}
	r, s := a.record(), a.status()
	out := api.AppInfo{
		App: a.summary(), Domains: append([]string{}, r.Domains...), Env: slices.AppendSeq([]string{}, maps.Keys(vars)), Settings: a.settings(),
		Restarts: s.starts, PID: s.pid, User: a.user.id, Isolated: a.user.id != 0,
		Disk: sizeOf(a.place.dir) + sizeOf(a.place.own), Sockets: new(int(a.counts.open.Load())), Previews: []string{},
	}
	slices.Sort(out.Env)
	if s.pid != 0 {
		out.Started = &s.started
	}
	for _, other := range h.list() {
		if app, preview := api.SplitInstance(other.name); app == a.name && preview != "" {
			out.Previews = append(out.Previews, other.name)
		}
	}
	if v, ok := r.find(r.Version); ok {
		out.Parties = v.Parties
	}
	return c.answer(out)
}

// sizeOf is how many bytes are in a folder, as far as one can see.
func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

func (h *Host) deleteApp(c *call, a *app) error {
	purge := c.r.URL.Query().Get("purge") == "true"
	if purge {
		if err := c.may(api.Admin); err != nil {
			return err
		}
	}
	if err := a.take(); err != nil {
		return err
	}
	// If the caller goes, it is deleted all the same.
	out, err := h.delete(context.WithoutCancel(c.r.Context()), a, purge)
	if err != nil {
		a.give()
		return err
	}
	h.log.Info("app deleted", "app", a.name, "by", c.token.Name, "backup", out.Backup)
	return c.answer(out)
}

func (h *Host) changeSettings(c *call, a *app) error {
	var s api.Settings
	if err := c.question(&s); err != nil {
		return err
	}
	if err := a.set(s); err != nil {
		return err
	}
	return c.answer(a.settings())
}

func (h *Host) hasBlob(c *call) error {
	a, hash, err := h.blob(c)
	if err != nil {
		return err
	}
	if _, err := h.findBlob(c.name, a, hash); err != nil {
		return problem(api.CodeNotFound, err.Error(), "")
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// blob reads what is meant; the app is nil if it is not there.
func (h *Host) blob(c *call) (*app, string, error) {
	if err := c.may(api.Deploy); err != nil {
		return nil, "", err
	}
	hash := c.r.PathValue("hash")
	if !api.IsHash(hash) {
		return nil, "", problem(api.CodeBadName, "a blob is called by its SHA-256 in 64 lower-case hexadecimal digits", "")
	}
	a, err := h.app(c.name)
	if err != nil {
		a = nil
	}
	return a, hash, nil
}

func (h *Host) putBlob(c *call) error {
	_, hash, err := h.blob(c)
	if err != nil {
		return err
	}
	if wait, ok := h.uploads.Take(c.token.ID); !ok {
		return tooMany(c, "too many uploads with this token", wait)
	}
	if c.r.ContentLength > h.opts.MaxBlob {
		return problem(api.CodeTooLarge, fmt.Sprintf("the upload is larger than %d bytes", h.opts.MaxBlob), "")
	}
	if err := h.receive(c.name, hash, http.MaxBytesReader(c.w, c.r.Body, h.opts.MaxBlob)); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// askedFor reads the question of a plan or a deploy.
func (c *call) askedFor() (*api.DeployRequest, error) {
	if err := c.may(api.Deploy); err != nil {
		return nil, err
	}
	q := new(api.DeployRequest)
	if err := c.question(q); err != nil {
		return nil, err
	}
	if len(q.Vars) > 0 {
		return q, c.may(api.EnvVar)
	}
	return q, nil
}

func (h *Host) askPlan(c *call) error {
	q, err := c.askedFor()
	if err != nil {
		return err
	}
	p, err := h.plan(c.r.Context(), c.name, q)
	if err != nil {
		return err
	}
	return c.answer(p)
}

func (h *Host) askDeploy(c *call) error {
	q, err := c.askedFor()
	if err != nil {
		return err
	}
	a, err := h.prepareDeploy(c.name, q)
	if err != nil {
		return err
	}
	domains := a.record().Domains
	if q.Domains != nil {
		domains = q.Domains
	}
	by := c.token.Name
	return h.streamTaken(c, a, domains, q.NoWait, func(ctx context.Context, emit func(api.Event)) error {
		return h.deploy(ctx, a, q, by, emit)
	})
}

// streamOn is stream with an app that is taken meanwhile.
func (h *Host) streamOn(c *call, a *app, handedOver bool, do func(ctx context.Context, emit func(api.Event)) error) error {
	if err := a.take(); err != nil {
		return err
	}
	return h.streamTaken(c, a, a.record().Domains, handedOver, do)
}

// streamTaken is stream with an app that the caller has taken, and which is given back when it is done.
func (h *Host) streamTaken(c *call, a *app, domains []string, handedOver bool, do func(ctx context.Context, emit func(api.Event)) error) error {
	err := h.stream(c, h.url(a.name, domains), handedOver, func(ctx context.Context, emit func(api.Event)) error {
		defer a.give()
		return do(ctx, emit)
	})
	if err != nil {
		a.give()
	}
	return err
}

func (h *Host) askRollback(c *call, a *app) error {
	var q api.RollbackRequest
	if err := c.question(&q); err != nil {
		return err
	}
	if q.Version != "" {
		if _, known := a.record().find(q.Version); !known {
			return problem(api.CodeNotFound, fmt.Sprintf("%s has no version %q", a.name, q.Version), "see its versions")
		}
	}
	return h.streamOn(c, a, q.NoWait, func(ctx context.Context, emit func(api.Event)) error {
		return a.rollback(ctx, q.Version, emit)
	})
}

func (h *Host) askRestart(c *call, a *app) error {
	return h.streamOn(c, a, false, a.restart)
}

func (h *Host) listDomains(c *call, a *app) error {
	return c.answer(api.Domains{Domains: append([]string{}, a.record().Domains...)})
}

func (h *Host) changeDomains(c *call, a *app) error {
	var d api.Domains
	if err := c.question(&d); err != nil {
		return err
	}
	if err := a.setDomains(d.Domains); err != nil {
		return err
	}
	return h.listDomains(c, a)
}
