//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/vault"
	"github.com/goparty-dev/party/internal/operate"
)

func system() string { return runtime.GOOS + "/" + runtime.GOARCH }

// maxMessage is how long the message of a deploy may be.
const maxMessage = 1 << 10

// checkDeploy says what is wrong with a question, apart from what is in the program.
func (h *Host) checkDeploy(app string, q *api.DeployRequest) error {
	if !api.IsHash(q.Binary) {
		return problem(api.CodeBadRequest, "binary: want the SHA-256 of a blob in 64 lower-case hexadecimal digits", "")
	}
	if len(q.Message) > maxMessage {
		return problem(api.CodeBadRequest, fmt.Sprintf("message: it has %d bytes: want at most %d", len(q.Message), maxMessage), "")
	}
	if err := vault.Check(q.Vars); err != nil {
		return problem(api.CodeBadRequest, err.Error(), "")
	}
	return h.checkDomains(app, q.Domains)
}

// findBlob returns where the bytes with a hash are. a may be nil.
func (h *Host) findBlob(name string, a *app, hash string) (string, error) {
	paths := []string{h.layout.upload(name, hash)}
	if a != nil {
		paths = append(paths, a.place.blob(hash))
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", problem(api.CodeNoBlob, fmt.Sprintf("there is no upload with the hash %s", hash), "put it first; uploads that were not deployed are removed after a day")
}

// plan says what a deploy would change.
func (h *Host) plan(ctx context.Context, name string, q *api.DeployRequest) (*api.Plan, error) {
	if err := h.checkDeploy(name, q); err != nil {
		return nil, err
	}
	a, err := h.app(name)
	if p := (*api.Problem)(nil); err != nil && (!errors.As(err, &p) || p.Code != api.CodeNotFound) {
		return nil, err
	}
	blob, err := h.findBlob(name, a, q.Binary)
	if err != nil {
		return nil, err
	}
	says, err := h.lookAt(ctx, a, blob)
	if err != nil {
		return nil, err
	}
	return h.planOf(a, name, q, says)
}

// planOf makes a plan of what a program says; a is nil for an app that is not there.
func (h *Host) planOf(a *app, name string, q *api.DeployRequest, says *operate.Plan) (*api.Plan, error) {
	p := &api.Plan{
		App: name, New: a == nil, Refused: says.Refused, Restart: says.Restart, LaterKeys: says.LaterKeys,
		Version: api.Version{ID: q.Binary[:idDigits], Label: says.Build.Label(), Commit: says.Build.Commit, Modified: says.Build.Modified, Message: q.Message},
	}
	for _, m := range says.Migrations {
		out := api.Migration{Tag: m.Tag, New: m.New, Deleted: m.Deleted, Rooms: make(map[string]int)}
		for _, r := range m.Renamed {
			out.Renamed = append(out.Renamed, api.Rename(r))
			out.Rooms[r.From] = says.Rooms[r.From]
		}
		for _, d := range m.Deleted {
			out.Rooms[d] = says.Rooms[d]
			p.Destructive = true
		}
		p.Migrations = append(p.Migrations, out)
	}
	p.PartiesAdded = without(says.Parties, says.Was)
	p.PartiesRemoved = without(says.Was, says.Parties)
	var domains []string
	had := map[string]string{}
	if a != nil {
		r := a.record()
		domains = r.Domains
		if v, ok := r.find(r.Version); ok {
			p.Serving = v.version(servingState)
			p.Same = v.Hash == q.Binary
		}
		var err error
		if had, err = a.vars(); err != nil {
			return nil, err
		}
		st := a.status().state
		switch {
		case p.Same && (r.EnvChanged || changes(had, q.Vars)):
			p.Restart = "it is the version that serves, with other variables"
		case p.Serving != nil && !p.Same && p.Restart == "" && st != api.Running && st != api.Deploying:
			p.Restart = "the app is not running"
		}
		if p.Same {
			p.Refused = "" // it has the data already
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Vars)) {
		if value, ok := had[name]; !ok || value != q.Vars[name] {
			p.VarsSet = append(p.VarsSet, name)
		}
	}
	if q.Domains != nil {
		p.Domains, p.Gone = without(q.Domains, domains), without(domains, q.Domains)
		domains = q.Domains
	}
	p.URL = h.url(name, domains)
	return p, nil
}

func changes(had, set map[string]string) bool {
	for name, value := range set {
		if old, ok := had[name]; !ok || old != value {
			return true
		}
	}
	return false
}

// without returns what is in list and not in other.
func without(list, other []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			out = append(out, s)
		}
	}
	return out
}

// States of versions in answers.
const (
	servingState  = "serving"
	trialState    = "on probation"
	backState     = "can be gone back to"
	replacedState = "replaced"
)

func (s shipped) version(state string) *api.Version {
	return &api.Version{ID: s.ID, Label: s.Label, Commit: s.Commit, Modified: s.Modified, Message: s.Message, Deployed: s.Deployed.Truncate(time.Second), By: s.By, State: state}
}
