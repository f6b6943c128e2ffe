//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/operate"
)

// rollback takes an app, which the caller has taken, back to an earlier version; "" is the one before. An app
// that runs goes back by itself, without closing a socket.
func (a *app) rollback(ctx context.Context, id string, emit func(api.Event)) error {
	r := a.record()
	if _, known := r.find(id); id != "" && !known {
		return problem(api.CodeNotFound, fmt.Sprintf("%s has no version %q", a.name, id), "see its versions")
	}
	if id != "" && id == r.Version {
		emit(api.Event{Kind: api.Remark, Text: "this is the version that serves"})
		return nil
	}
	var err error
	if st, standErr := a.standing(ctx); standErr == nil && a.status().state == api.Running {
		id, err = a.stepBack(ctx, st, id, emit)
	} else {
		id, err = a.startBack(ctx, r, id, emit)
	}
	if _, known := r.find(id); known { // also after the first of two steps
		err = errors.Join(err, a.change(func(r *record) error {
			r.Version, r.EnvChanged = id, false // its rooms have read the variables anew
			return nil
		}))
	}
	if err == nil {
		a.say("info", "rolled back to version "+id)
	}
	return err
}

// stepBack lets the app go back, by one version at a time, and returns which one serves.
func (a *app) stepBack(ctx context.Context, st *operate.Standing, id string, emit func(api.Event)) (serves string, err error) {
	at := slices.IndexFunc(st.Versions, func(v operate.Version) bool { return v.ID == st.Serving })
	switch {
	case id == "" && at < 1:
		return "", problem(api.CodeRefused, "there is no version to go back to", "")
	case id == "":
		id = st.Versions[at-1].ID
	case !slices.ContainsFunc(st.Versions[:max(at, 0)], func(v operate.Version) bool { return v.ID == id }):
		return "", problem(api.CodeRefused, fmt.Sprintf("%s cannot go back to version %s: the app keeps the last five, and none before one that moved or deleted rooms", a.name, id), "deploy it again")
	}
	a.mark(true)
	defer a.mark(false)
	if err := a.writeDotEnv(); err != nil {
		return "", err
	}
	for range st.Versions {
		if err := a.goBack(ctx, func(p operate.Progress) { a.tell(p, emit) }); err != nil {
			return serves, problem(api.CodeRefused, err.Error(), "")
		}
		now, err := a.standing(ctx)
		if err != nil {
			return serves, err
		}
		serves = now.Serving
		if serves == id {
			return serves, nil
		}
	}
	return serves, fmt.Errorf("version %s serves, and not %s", serves, id)
}

// startBack starts an app that does not run as an earlier version.
func (a *app) startBack(ctx context.Context, r *record, id string, emit func(api.Event)) (serves string, err error) {
	at := slices.IndexFunc(r.Versions, func(s shipped) bool { return s.ID == r.Version })
	if id == "" {
		if at < 1 {
			return "", problem(api.CodeRefused, "there is no version to go back to", "")
		}
		id = r.Versions[at-1].ID
	}
	v, _ := r.find(id)
	says, err := a.host.lookAt(ctx, a, a.place.blob(v.Hash))
	if err != nil {
		return "", err
	}
	if says.Refused != "" {
		return "", problem(api.CodeRefused, fmt.Sprintf("version %s does not fit the stored data: %s", id, says.Refused), "")
	}
	emit(api.Event{Kind: api.Launching, Version: id})
	if err := a.await(ctx, a.run(v.Hash)); err != nil {
		return "", errors.Join(problem(api.CodeUnhealthy, fmt.Sprintf("version %s does not serve either: %v", id, err), ""), a.await(ctx, a.resume()))
	}
	return id, nil
}

// restart ends an app that the caller has taken, and starts it again.
func (a *app) restart(ctx context.Context, emit func(api.Event)) error {
	r := a.record()
	if r.Version == "" {
		return problem(api.CodeNotRunning, a.name+" has no version to run", "deploy one")
	}
	emit(api.Event{Kind: api.Launching, Version: r.Version})
	if err := a.await(ctx, a.resume()); err != nil {
		return problem(api.CodeUnhealthy, err.Error(), "")
	}
	return a.change(func(r *record) error { r.EnvChanged = false; return nil })
}

// versions are those of an app, newest first.
func (a *app) versions(ctx context.Context) []api.Version {
	r := a.record()
	states := make(map[string]string)
	if st, err := a.standing(ctx); err == nil {
		for _, v := range st.Versions {
			states[v.ID] = backState
			if v.ID == st.Serving {
				states[v.ID] = servingState
				if !v.Proven {
					states[v.ID] = trialState
				}
			}
		}
	} else if r.Version != "" {
		states[r.Version] = servingState
	}
	list := make([]api.Version, 0, len(r.Versions))
	for _, s := range slices.Backward(r.Versions) {
		state := states[s.ID]
		if state == "" {
			state = replacedState
		}
		list = append(list, *s.version(state))
	}
	return list
}
