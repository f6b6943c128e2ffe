//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/snapshots"
)

// Kinds of backups.
const (
	backupAsked        = "asked"
	backupScheduled    = "scheduled"
	backupBeforeDeploy = "deploy"
)

// backupTime bounds the making of a backup, and its restoring.
const backupTime = 30 * time.Minute

// A backup's ID is its time and kind, and its file has the ID as its name.
const (
	backupStamp = "20060102T150405.000Z"
	backupEnd   = ".db"
)

// parseBackup reads a backup's ID. What it accepts is a file name of one element.
func parseBackup(id string) (when time.Time, kind string, ok bool) {
	stamp, kind, _ := strings.Cut(id, "-")
	when, err := time.Parse(backupStamp, stamp)
	known := kind == backupAsked || kind == backupScheduled || kind == backupBeforeDeploy
	return when, kind, err == nil && known && when.Format(backupStamp) == stamp
}

// backupList returns an app's backups, oldest first.
func (a *app) backupList() ([]api.Backup, error) {
	entries, err := os.ReadDir(a.place.backups())
	if errors.Is(err, fs.ErrNotExist) {
		return []api.Backup{}, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]api.Backup, 0, len(entries))
	for _, e := range entries {
		id, isBackup := strings.CutSuffix(e.Name(), backupEnd)
		when, kind, ok := parseBackup(id)
		info, err := e.Info()
		if !isBackup || !ok || err != nil {
			continue // being made, or just gone
		}
		list = append(list, api.Backup{ID: id, Time: when, Size: info.Size(), Kind: kind})
	}
	return list, nil
}

// backupFile is where a backup is, which is there.
func (a *app) backupFile(id string) (string, error) {
	path := filepath.Join(a.place.backups(), id+backupEnd)
	_, _, ok := parseBackup(id)
	if ok {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", problem(api.CodeNotFound, fmt.Sprintf("%s has no backup %q", a.name, id), "")
}

// maxBackups is how many backups an app has that are not scheduled.
const maxBackups = 100

// backUp makes a backup. The app need not run.
func (a *app) backUp(ctx context.Context, kind string) (*api.Backup, error) {
	list, err := a.backupList()
	if err != nil {
		return nil, err
	}
	others := 0
	for _, b := range list {
		if b.Kind != backupScheduled {
			others++
		}
	}
	if kind != backupScheduled && others >= maxBackups {
		return nil, problem(api.CodeNoSpace, fmt.Sprintf("%s has %d backups, which is the limit", a.name, others), "delete some")
	}
	if err := os.MkdirAll(a.place.backups(), 0o700); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	b := &api.Backup{ID: now.Format(backupStamp) + "-" + kind, Time: now.Truncate(time.Millisecond), Kind: kind}
	path := filepath.Join(a.place.backups(), b.ID+backupEnd)
	if b.Size, err = a.export(ctx, path); err != nil {
		return nil, err
	}
	return b, nil
}

// export writes what the app has stored to a file of the host's. The app's own program makes it, as the app's user: what
// that leaves is not trusted to be a file.
func (a *app) export(ctx context.Context, path string) (size int64, err error) {
	r := a.record()
	v, ok := r.find(r.Version)
	if !ok {
		return 0, problem(api.CodeNotRunning, a.name+" has no version, and nothing stored", "")
	}
	ctx, cancel := context.WithTimeout(ctx, backupTime)
	defer cancel()
	made := filepath.Join(a.place.tmp(), filepath.Base(path))
	defer os.Remove(made) // also when it is none
	if err := a.place.command(ctx, a.user, a.place.blob(v.Hash), nil, io.Discard, "backup", made, "--data", a.place.store()); err != nil {
		return 0, fmt.Errorf("back %s up: %w", a.name, err)
	}
	in, err := openRegular(made)
	if err != nil {
		return 0, fmt.Errorf("back %s up: %w", a.name, err)
	}
	defer in.Close()
	return copyTo(path, in, 0o600, user{})
}

// openRegular opens a file that an app has made. It is a file, and not a link to one of somebody else.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Nlink != 1) {
		err = fmt.Errorf("%s is not a file of its own", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// copyTo makes a file of what is read, durably, or nothing.
func copyTo(path string, in io.Reader, mode os.FileMode, u user) (size int64, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "tmp-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(tmp.Name()) // it is gone if all went well
	size, err = io.Copy(tmp, in)
	if err == nil && u.id != 0 {
		err = tmp.Chown(u.id, u.id)
	}
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(tmp.Name(), path)
}

// restore makes a backup the stored state of an app that the caller has taken. The app is down meanwhile. What was
// stored is kept beside it, as the app's restore does.
func (a *app) restore(ctx context.Context, path string, emit func(api.Event)) error {
	r := a.record()
	v, ok := r.find(r.Version)
	if !ok {
		return problem(api.CodeNotRunning, a.name+" has no version", "deploy one")
	}
	emit(api.Event{Kind: api.Remark, Text: "the app is stopped, which closes its sockets with 1012"})
	if err := a.await(ctx, a.run("")); err != nil {
		return err
	}
	err := a.replaceStore(ctx, path, v.Hash)
	emit(api.Event{Kind: api.Launching, Version: r.Version})
	return errors.Join(err, a.await(ctx, a.resume()))
}

func (a *app) replaceStore(ctx context.Context, path, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, backupTime)
	defer cancel()
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	// The scratch folder is the host's: what is put there cannot be led elsewhere by the app.
	dir, err := os.MkdirTemp(a.host.layout.scratch(), "restore-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := a.user.enter(dir); err != nil {
		return err
	}
	file := filepath.Join(dir, "backup"+backupEnd)
	if _, err := copyTo(file, in, 0o600, a.user); err != nil {
		return err
	}
	if err := a.place.command(ctx, a.user, a.place.blob(hash), nil, io.Discard, "restore", file, "--force", "--data", a.place.store()); err != nil {
		return fmt.Errorf("restore %s: %w", a.name, err)
	}
	return nil
}

// scheduled makes the backup that an app's schedule wants between two moments, if any.
func (a *app) scheduled(ctx context.Context, last, now time.Time) {
	s := a.settings()
	if *s.BackupCron == "" || a.record().Version == "" {
		return
	}
	plan, err := cron.ParseStandard(*s.BackupCron)
	if err != nil || plan.Next(last.UTC()).After(now.UTC()) {
		return // it was checked when it was set
	}
	b, err := a.backUp(ctx, backupScheduled)
	if err != nil {
		a.say("error", fmt.Sprintf("scheduled backup: %v", err))
		return
	}
	a.say("info", "backup "+b.ID)
	if err := a.putElsewhere(ctx, b, *s.BackupKeep); err != nil {
		a.say("error", fmt.Sprintf("backup %s is only on this host: %v", b.ID, err))
	}
	list, err := a.backupList()
	list = slices.DeleteFunc(list, func(b api.Backup) bool { return b.Kind != backupScheduled })
	for n := 0; n < len(list)-*s.BackupKeep; n++ {
		err = errors.Join(err, os.Remove(filepath.Join(a.place.backups(), list[n].ID+backupEnd)))
	}
	if err != nil {
		a.say("error", fmt.Sprintf("old backups stay: %v", err))
	}
}

// putElsewhere puts a scheduled backup where the host wants them too, and leaves as many there as here.
func (a *app) putElsewhere(ctx context.Context, b *api.Backup, keep int) error {
	to := a.host.elsewhere
	if to == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, backupTime)
	defer cancel()
	name, err := snapshots.Name(a.name, b.Time, b.Kind)
	if err != nil {
		return err
	}
	path, err := a.backupFile(b.ID)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := to.Put(ctx, name, file, b.Size); err != nil {
		return err
	}
	_, err = snapshots.Prune(ctx, to, a.name, b.Kind, keep)
	return err
}
