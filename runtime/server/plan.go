//go:build !party_host

package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/operate"
	"github.com/goparty-dev/party/internal/release"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// runPlan says what this program would change in a data folder, whether or not a server uses it.
func runPlan(v *invocation) int {
	set := v.flagSet("plan", "")
	data := dataFlag(set)
	asJSON := set.Bool("json", false, "as JSON")
	if _, code, ok := v.parse(set, 0); !ok {
		return code
	}
	p, err := planFor(*data, v.app)
	if err != nil {
		return v.fail(err)
	}
	if *asJSON {
		enc := json.NewEncoder(v.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(p); err != nil {
			return v.fail(err)
		}
		return 0
	}
	fmt.Fprint(v.stdout, describePlan(p))
	if p.Refused != "" {
		return 1
	}
	return 0
}

func planFor(dataDir string, app *party.App) (*operate.Plan, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	p := &operate.Plan{Build: thisBuild()}
	if p.ID, err = release.ID(path); err != nil {
		return nil, fmt.Errorf("read this program: %w", err)
	}
	for _, d := range app.Rooms {
		p.Parties = append(p.Parties, d.Name)
	}
	survey, err := sqlite.Look(filepath.Join(dataDir, StoreFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.Rooms = survey.Rooms
	top, err := topOf(dataDir)
	if err != nil {
		return nil, err
	}
	if top != nil {
		if err := compareTop(p, top); err != nil {
			return nil, err
		}
	}
	// As for an upgrade, a store that a newer version has been through refuses.
	if p.Migrations, err = storage.Unapplied(survey.Applied, app.Migrations); err == nil {
		err = homeless(survey.Rooms, p.Migrations, p.Parties)
	}
	if err != nil {
		p.Refused = err.Error()
	}
	return p, nil
}

// topOf returns the version that serves a folder or has served it last; nil if it is not known.
func topOf(dataDir string) (*release.Release, error) {
	folder, err := release.At(filepath.Join(dataDir, versionsFolder))
	if err != nil {
		return nil, err
	}
	rec, err := folder.Load()
	if err != nil || len(rec.Versions) == 0 {
		return nil, err
	}
	r, err := folder.Get(rec.Versions[len(rec.Versions)-1].ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r, err
}

// compareTop says how a program differs from the version that serves.
func compareTop(p *operate.Plan, top *release.Release) error {
	p.Top, p.Was = &operate.Version{ID: top.ID, Proven: true, Build: top.About.Build}, top.About.Parties
	if link := top.About.Build.Link; link != stream.Version {
		p.Restart = fmt.Sprintf("it speaks version %d of the link, and the one that serves version %d", stream.Version, link)
	}
	was, err := manifestOf(top)
	if err != nil {
		return err
	}
	now := manifest.Default()
	if embedded.manifest != nil {
		m, list := manifest.Parse("party.json", embedded.manifest)
		if list.HasErrors() {
			return fmt.Errorf("the manifest in this program: %w", list)
		}
		now = m
	}
	p.LaterKeys = fixed(was, now)
	return nil
}

// describePlan is a plan for people.
func describePlan(p *operate.Plan) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("version %s  %s %s", p.ID, p.Build.Name, p.Build.Label())
	switch {
	case p.Top == nil:
		line("nothing has served this folder yet")
	case p.Top.ID == p.ID:
		line("this is the version that serves, or served last")
	default:
		line("takes over from %s  %s %s", p.Top.ID, p.Top.Build.Name, p.Top.Build.Label())
	}
	for _, m := range p.Migrations {
		for _, name := range m.New {
			line("migration %s: new party %s", m.Tag, name)
		}
		for _, r := range m.Renamed {
			line("migration %s: %s becomes %s, with %d rooms", m.Tag, r.From, r.To, p.Rooms[r.From])
		}
		for _, name := range m.Deleted {
			line("migration %s: DELETES %s, with %d rooms", m.Tag, name, p.Rooms[name])
		}
	}
	if p.Restart != "" {
		line("needs a restart: %s", p.Restart)
	}
	if len(p.LaterKeys) > 0 {
		line("takes effect with the next restart: %s of party.json", strings.Join(p.LaterKeys, ", "))
	}
	if p.Refused != "" {
		line("cannot take over: %s", p.Refused)
	}
	return b.String()
}
