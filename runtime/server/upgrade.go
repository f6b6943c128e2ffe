//go:build !party_host

package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/release"
	"github.com/goparty-dev/party/internal/supervise"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// order is what somebody wants of an upgrade. Its functions may be nil.
type order struct {
	path string // of the binary; empty: what is now where this program was started from
	// restart restarts the platform with the version, too. bySignal does if it must.
	restart, bySignal bool

	remark     func(string)           // told what the operator should know before
	each       func(supervise.Notice) // told what happens
	restarting func(id string)        // told that it is a restart, of which nobody will see the end
}

// upgrade puts a binary into the running server. It returns when the new version is through its probation, see
// supervise.Upgrade, or when a restart has begun.
func (sp *split) upgrade(ctx context.Context, o order) error {
	sp.mu.Lock()
	own := sp.record.Path
	sp.mu.Unlock()
	path := cmp.Or(o.path, own)
	r, err := sp.add(ctx, path)
	if err != nil {
		return err
	}
	defer sp.added(r.ID)
	if path == own {
		// What the operator starts next time is this: not something new, whatever becomes of it now.
		sp.mu.Lock()
		sp.record.Base = r.ID
		sp.mu.Unlock()
		if err := sp.save(); err != nil {
			return err
		}
	}
	keys, err := sp.fits(ctx, r)
	if o.restart && err == nil || (o.restart || o.bySignal) && errors.Is(err, errOtherLink) {
		sp.log.Info("the server restarts as another version; sockets are closed with 1012", "version", r.ID)
		if o.restarting != nil {
			o.restarting(r.ID)
		}
		return sp.restart(r)
	}
	if err != nil {
		return fmt.Errorf("version %s: %w", r.ID, err)
	}
	if len(keys) > 0 && o.remark != nil {
		o.remark("what is new in " + strings.Join(keys, ", ") + " of party.json takes effect with the next restart of the server")
	}
	return sp.supervisor.Upgrade(ctx, version(r), o.each)
}

// add puts a binary into the folder, and takes out what nobody goes back to any more.
func (sp *split) add(ctx context.Context, path string) (*release.Release, error) {
	id, err := release.ID(path)
	if err != nil {
		return nil, err
	}
	sp.mu.Lock()
	sp.adding[id]++
	kept := slices.Collect(maps.Keys(sp.adding))
	for _, v := range sp.record.Versions {
		kept = append(kept, v.ID)
	}
	err = sp.folder.Keep(kept)
	sp.mu.Unlock()
	if err != nil {
		sp.log.Warn("old versions stay", "err", err)
	}
	r, err := sp.folder.Add(ctx, path)
	if err == nil && r.ID != id {
		err = fmt.Errorf("%s changes while it is read", filepath.Base(path))
	}
	if err != nil {
		sp.added(id)
		return nil, err
	}
	return r, nil
}

func (sp *split) added(id string) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if sp.adding[id]--; sp.adding[id] <= 0 {
		delete(sp.adding, id)
	}
}

// fits reports why a version cannot be put into this server, or which keys of
// its manifest have no effect in it until the next restart.
func (sp *split) fits(ctx context.Context, r *release.Release) (keys []string, err error) {
	a := &r.About
	if here := runtime.GOOS + "/" + runtime.GOARCH; a.Build.System != here {
		return nil, fmt.Errorf("it was built for %s, and this is %s", a.Build.System, here)
	}
	applied, err := sp.store.Applied(ctx)
	if err != nil {
		return nil, err
	}
	todo, err := storage.Unapplied(applied, a.Migrations)
	if err != nil {
		return nil, err
	}
	survey, err := sqlite.Look(filepath.Join(sp.dataDir, StoreFile))
	if err != nil {
		return nil, err
	}
	if err := homeless(survey.Rooms, todo, a.Parties); err != nil {
		return nil, err
	}
	m, err := manifestOf(r)
	if err != nil {
		return nil, err
	}
	if a.Build.Link != stream.Version {
		return nil, fmt.Errorf("%w, since it speaks version %d of the link and the server version %d: upgrade --restart restarts the server with it; sockets are closed with 1012 then, and connect again",
			errOtherLink, a.Build.Link, stream.Version)
	}
	return fixed(sp.manifest, m), nil
}

// homeless is an error if there are rooms with data whose party a version does not have.
func homeless(rooms map[string]int, todo []storage.Migration, parties []string) error {
	place := make(map[string]string) // where the rooms of a party will be; "" if they are deleted
	for p := range rooms {
		place[p] = p
	}
	for _, m := range todo {
		for _, r := range m.Renamed {
			for p, now := range place {
				if now == r.From {
					place[p] = r.To
				}
			}
		}
		for p, now := range place {
			if slices.Contains(m.Deleted, now) {
				place[p] = ""
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(place)) {
		if now := place[p]; now != "" && !slices.Contains(parties, now) {
			return fmt.Errorf("it has no party %q, of which %d rooms have data: record what became of it with \"party migrations\"", now, rooms[p])
		}
	}
	return nil
}

// fixed names the keys whose values differ and that a running platform cannot take over.
func fixed(was, now *manifest.Manifest) []string {
	var keys []string
	for _, k := range []struct {
		name     string
		was, now any
	}{
		{"prefix", was.Prefix, now.Prefix},
		{"limits", was.Limits, now.Limits},
		{"cors", was.CORS, now.CORS},
		{"origins", was.Origins, now.Origins},
		{"trustedProxies", was.TrustedProxies, now.TrustedProxies},
		{"crons", was.Crons, now.Crons},
		{"serve", assetRules(was), assetRules(now)},
	} {
		if !reflect.DeepEqual(k.was, k.now) {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// assetRules is how assets are served, as opposed to what they are.
func assetRules(m *manifest.Manifest) []any {
	return []any{m.Serve.SinglePageApp, m.Serve.BrowserTTL, m.Serve.EdgeTTL, m.Serve.Hashed()}
}

// migrateTime is how long rooms may take to leave before their parties are renamed.
const migrateTime = 15 * time.Second

// migrate takes the running store to a version that knows more migrations than it has been through.
func (sp *split) migrate(ctx context.Context, r *release.Release) (moved bool, err error) {
	applied, err := sp.store.Applied(ctx)
	if err != nil {
		return false, err
	}
	known := r.About.Migrations
	if len(known) <= len(applied) {
		return false, nil // the same, or one that is gone back to
	}
	todo, err := storage.Unapplied(applied, known)
	if err != nil {
		return false, err
	}
	moved = storage.Moves(todo)
	sp.mu.Lock()
	before := sp.record
	sp.record.Migrations = known
	if moved {
		// If the process ends in the middle, the next one must not be of a version that would not find its rooms.
		sp.record.Versions = append(slices.Clone(before.Versions), release.Served{ID: r.ID, Moved: true})
	}
	sp.mu.Unlock()
	if err := sp.save(); err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, migrateTime)
	defer cancel()
	if _, err = sp.platform.Migrate(limited, known); err == nil {
		return moved, nil
	}
	if after, look := sp.store.Applied(ctx); look != nil || len(after) != len(applied) {
		return moved, errors.Join(err, look) // it happened, or nobody knows: the record stays
	}
	sp.mu.Lock()
	sp.record.Versions, sp.record.Migrations = before.Versions, before.Migrations
	sp.mu.Unlock()
	return false, errors.Join(fmt.Errorf("migrate the store: %w", err), sp.save())
}
