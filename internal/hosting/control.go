//go:build unix

package hosting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/operate"
	"github.com/goparty-dev/party/internal/supervise"
)

// controlSocket is the path by which an app that runs is told what to do.
func (p place) controlSocket() string { return filepath.Join(p.store(), operate.Socket) }

// standing asks an app which versions it has. An app that does not run is api.CodeNotRunning.
func (a *app) standing(ctx context.Context) (*operate.Standing, error) {
	status, body, err := a.get(ctx, a.place.controlSocket(), operate.StatusPath)
	if err != nil {
		return nil, problem(api.CodeNotRunning, fmt.Sprintf("%s does not answer: %v", a.name, err), "")
	}
	st := new(operate.Standing)
	if err := json.Unmarshal(body, st); err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("%s answers something else than its status", a.name)
	}
	return st, nil
}

// upgrade puts a program into the app that runs, as "app upgrade" does. each is told what happens.
func (a *app) upgrade(ctx context.Context, hash string, each func(operate.Progress)) error {
	return a.order(ctx, operate.UpgradePath+"?"+url.Values{"binary": {a.place.blob(hash)}}.Encode(), each)
}

// goBack makes the app that runs go back by one version.
func (a *app) goBack(ctx context.Context, each func(operate.Progress)) error {
	return a.order(ctx, operate.RollbackPath, each)
}

func (a *app) order(ctx context.Context, target string, each func(operate.Progress)) error {
	resp, err := a.ask(ctx, a.place.controlSocket(), http.MethodPost, target)
	if err != nil {
		return problem(api.CodeNotRunning, fmt.Sprintf("%s does not take orders: %v", a.name, err), "")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s to an order", a.name, resp.Status)
	}
	for dec := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)); ; {
		var p operate.Progress
		if err := dec.Decode(&p); err != nil {
			if ctx.Err() != nil {
				return errStopped
			}
			return fmt.Errorf("%s has ended meanwhile", a.name)
		}
		each(p)
		switch {
		case p.Error != "":
			return errors.New(p.Error)
		case p.Done:
			return nil
		}
	}
}

// tell makes events of what an app says about a change of versions.
func (a *app) tell(p operate.Progress, emit func(api.Event)) {
	if p.Remark != "" {
		emit(api.Event{Kind: api.Remark, Text: p.Remark})
	}
	n := p.Notice
	if n == nil {
		return
	}
	switch n.Kind {
	case supervise.Starting:
		emit(api.Event{Kind: api.Launching, Version: n.Version})
	case supervise.HandedOver:
		// Those of hibernating rooms as well, which the app does not count.
		open := max(n.Sockets, int(a.counts.open.Load()))
		emit(api.Event{Kind: api.HandedOver, Version: n.Version, Rooms: n.Rooms, Sockets: open, PauseMS: float64(n.Pause.Microseconds()) / 1000})
	case supervise.RolledBack:
		emit(api.Event{Kind: api.RolledBack, Version: n.Version, Reason: n.Reason})
	}
}

// room between a blob and the program that is run: the app has the right to read it, as it stands.
func (h *Host) lookAt(ctx context.Context, a *app, blob string) (*operate.Plan, error) {
	u, store := user{}, ""
	if a != nil {
		u, store = a.user, a.place.store()
	} else if h.opts.isolates() {
		u = user{h.opts.FirstUser}
	}
	dir, err := os.MkdirTemp(h.layout.scratch(), "look-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p := place{run: dir, own: dir}
	if err := u.enter(dir); err != nil {
		return nil, err
	}
	for _, d := range []string{p.home(), p.tmp()} {
		if err := u.folder(d); err != nil {
			return nil, err
		}
	}
	if store == "" {
		store = p.store() // it is not there, which is what a new app finds
	}
	program := filepath.Join(dir, "app")
	if err := os.Link(blob, program); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out := &capped{most: maxAnswer}
	err = p.command(ctx, u, program, nil, out, "plan", "--json", "--data", store)
	plan := new(operate.Plan)
	if err == nil {
		err = json.Unmarshal(out.data, plan)
	}
	if err != nil {
		return nil, problem(api.CodeBadBinary, fmt.Sprintf("it does not say what it is: %v", err),
			fmt.Sprintf("deploy what party build makes for %s, of a version of party that knows the plan command", system()))
	}
	return plan, nil
}
