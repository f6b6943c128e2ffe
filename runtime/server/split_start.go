//go:build !party_host

package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/goparty-dev/party/internal/release"
	"github.com/goparty-dev/party/runtime/storage"
)

// executable is the program that runs, as somebody has started it.
func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}

// giveWay turns this process into the version that is to serve, if the operator has started the
// same program as before and another version has been put into it since: so a restart brings
// the platform up to date too. A program that is new to the record is what the operator wants now.
func (sp *split) giveWay() error {
	rec, err := sp.folder.Load()
	if err != nil || len(rec.Versions) == 0 {
		return err
	}
	path, err := executable()
	if err != nil {
		return err
	}
	own, err := release.ID(path)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	rec.Settle()
	top := rec.Versions[len(rec.Versions)-1].ID
	if own == top || own != rec.Base {
		return nil
	}
	r, err := sp.folder.Get(top)
	if err != nil {
		sp.log.Warn("the version that served last is lost; this one serves", "version", top, "err", err)
		return nil
	}
	sp.log.Info("going on as the version that served last", "version", top, "program", own)
	return become(r.Binary())
}

// enter puts this program into the folder and into the record. The store is open, so
// nobody else uses the folder.
func (sp *split) enter() (*release.Release, error) {
	if err := sp.folder.Prepare(); err != nil {
		return nil, err
	}
	rec, err := sp.folder.Load()
	if err != nil {
		return nil, err
	}
	before := release.Record{Path: rec.Path, Base: rec.Base, Versions: slices.Clone(rec.Versions), Migrations: rec.Migrations}
	path, err := executable()
	if err != nil {
		return nil, err
	}
	own, err := sp.folder.Add(context.Background(), path)
	if err != nil {
		return nil, err
	}
	for _, id := range rec.Settle() {
		sp.log.Warn("a version that was on probation is dropped", "version", id)
	}
	if filepath.Clean(path) != own.Binary() { // else the operator has started another file, and it is recorded
		rec.Path, rec.Base = path, own.ID
	}
	if n := len(rec.Versions); n == 0 || rec.Versions[n-1].ID != own.ID {
		rec.Versions = slices.DeleteFunc(rec.Versions, func(s release.Served) bool { return s.ID == own.ID && !s.Moved })
		rec.Versions = append(rec.Versions, release.Served{ID: own.ID, Proven: true})
	}
	sp.before, sp.record = before, rec
	return own, nil
}

// migrateAtStart takes the store through what this version has recorded. A store that a newer version has
// been through is fine, if that one has moved no rooms: somebody has gone back.
func (sp *split) migrateAtStart(ctx context.Context, own []storage.Migration) (moved bool, err error) {
	applied, err := sp.store.Applied(ctx)
	if err != nil {
		return false, err
	}
	if known := sp.record.Migrations; len(applied) > len(own) && len(known) >= len(applied) {
		if _, err := storage.Unapplied(applied, known); err != nil {
			return false, err
		}
		if storage.Moves(known[len(own):len(applied)]) {
			return false, fmt.Errorf("%w and has other rooms now: start that version", storage.ErrMigrated)
		}
		_, err := storage.Unapplied(applied[:len(own)], own)
		return false, err
	}
	todo, err := storage.Unapplied(applied, own)
	if err != nil {
		return false, err
	}
	if _, err := sp.store.Migrate(ctx, own); err != nil {
		return false, err
	}
	sp.record.Migrations = own
	return storage.Moves(todo), nil
}

// errExec says that another version could not be started in place of this one.
var errExec = errors.New("start the version that served last")
