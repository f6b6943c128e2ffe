//go:build unix

package hosting

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Where things are. What belongs to the host is apart from what belongs to an app's user, so that no file that the
// host opens by name can have been put there by an app. Apps' own folders have numbers, since paths of sockets are short.
//
//	DATA/tokens.json, key, slots, lock      the host's alone
//	DATA/apps/NAME/                         the host's; the app may enter
//	     app.json, vars                     the host's alone
//	     blobs/SHA256                       programs; the app may run them
//	     logs/, backups/                    the host's alone
//	DATA/data/NUMBER/store, home, tmp       the app's
//	DATA/uploads/NAME/SHA256                the host's alone
//	DATA/deleted/NAME-TIME.db               the host's alone: what deleted apps had stored
//	DATA/acme/                              certificates
//	RUN/api.sock                            the API, for who is on the machine
//	RUN/NUMBER/                             the host's; the app may enter: it is its working directory
//	     .env                               the app may read it
//	     s/app.sock, s/admin.sock           the app's
type layout struct{ data, run string }

// Longest paths, for sockets: the system allows about a hundred bytes, and the app makes them below a temporary folder.
const (
	maxRun  = 85 - len("/99999/s/admin.sock")
	maxData = 100 - len("/data/99999/store/control.sock")
)

func (l layout) tokens() string            { return filepath.Join(l.data, "tokens.json") }
func (l layout) key() string               { return filepath.Join(l.data, "key") }
func (l layout) slots() string             { return filepath.Join(l.data, "slots") }
func (l layout) lock() string              { return filepath.Join(l.data, "lock") }
func (l layout) apps() string              { return filepath.Join(l.data, "apps") }
func (l layout) uploads(app string) string { return filepath.Join(l.data, "uploads", app) }
func (l layout) deleted() string           { return filepath.Join(l.data, "deleted") }
func (l layout) acme() string              { return filepath.Join(l.data, "acme") }
func (l layout) scratch() string           { return filepath.Join(l.data, "scratch") }

// TokensFile is where the host with a data folder keeps its tokens.
func TokensFile(data string) string { return layout{data: data}.tokens() }

// place is where one app is.
type place struct {
	dir, own, run string // in apps, data and run
}

func (l layout) place(name string, slot int) place {
	number := strconv.Itoa(slot)
	return place{filepath.Join(l.apps(), name), filepath.Join(l.data, "data", number), filepath.Join(l.run, number)}
}

func (p place) record() string          { return filepath.Join(p.dir, "app.json") }
func (p place) vars() string            { return filepath.Join(p.dir, "vars") }
func (p place) blobs() string           { return filepath.Join(p.dir, "blobs") }
func (p place) blob(hash string) string { return filepath.Join(p.blobs(), hash) }
func (p place) logs() string            { return filepath.Join(p.dir, "logs") }
func (p place) backups() string         { return filepath.Join(p.dir, "backups") }
func (p place) store() string           { return filepath.Join(p.own, "store") }
func (p place) database() string        { return filepath.Join(p.store(), "party.db") } // as package server calls it
func (p place) home() string            { return filepath.Join(p.own, "home") }
func (p place) tmp() string             { return filepath.Join(p.own, "tmp") }
func (p place) dotenv() string          { return filepath.Join(p.run, ".env") }
func (p place) sockets() string         { return filepath.Join(p.run, "s") }
func (p place) socket() string          { return filepath.Join(p.sockets(), "app.sock") }
func (p place) adminSocket() string     { return filepath.Join(p.sockets(), "admin.sock") }

// user is whom an app's processes belong to. The zero value is the host's own.
type user struct{ id int }

func (u user) attributes() *syscall.SysProcAttr {
	if u.id == 0 {
		return new(syscall.SysProcAttr)
	}
	id := uint32(u.id)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}} // and no other groups
}

// folder makes a folder with a mode that is the user's, or with enter the host's and the user's group may enter it.
func (u user) folder(path string) error { return u.makeFolder(path, 0o700, u.id, u.id) }
func (u user) enter(path string) error  { return u.makeFolder(path, 0o710, 0, u.id) }

func (u user) makeFolder(path string, mode os.FileMode, owner, group int) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	if u.id != 0 {
		if err := os.Lchown(path, owner, group); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// prepare makes the folders of an app.
func (p place) prepare(u user) error {
	for _, dir := range []string{p.dir, p.blobs(), p.run} {
		if err := u.enter(dir); err != nil {
			return err
		}
	}
	// Nobody but the app is in own: it is the host's, with the app's folders in it.
	if err := u.enter(p.own); err != nil {
		return err
	}
	for _, dir := range []string{p.store(), p.home(), p.tmp()} {
		if err := u.folder(dir); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the host's folders and makes sure that no other host uses them, until the file is closed.
func (l layout) prepare() (*os.File, error) {
	for _, dir := range []string{l.data, l.run} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, err
		}
	}
	lock, err := os.OpenFile(l.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another party host uses %s", l.data), lock.Close())
	}
	for dir, mode := range map[string]os.FileMode{
		l.data: 0o711, l.run: 0o711, l.apps(): 0o711, filepath.Join(l.data, "data"): 0o711, l.scratch(): 0o711,
		filepath.Join(l.data, "uploads"): 0o700, l.deleted(): 0o700, l.acme(): 0o700,
	} {
		err := os.MkdirAll(dir, mode)
		if err == nil {
			err = os.Chmod(dir, mode)
		}
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return lock, nil
}
