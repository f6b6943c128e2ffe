package hostbuild

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxUnits bounds how many packages direct compiles for one build: it does so one after the other, and the go
// command side by side.
const maxUnits = 8

// workshop keeps the packages that were compiled directly since the plan was made. It is owned by Build.
type workshop struct {
	plan  *plan
	made  map[string]*compiled // by path
	count int
}

// compiled is a unit as it was compiled last.
type compiled struct {
	archive string
	files   stamps            // of which it was made
	against map[string]string // interfaces of the units that it imports
	face    string            // its interface: what others who import it were compiled with
}

// asListed is the interface of a unit that is as the go command has compiled it.
const asListed = "listed"

// open begins anew when there is another plan.
func (w *workshop) open(p *plan) {
	if w.plan == p {
		return
	}
	for _, c := range w.made {
		os.Remove(c.archive)
	}
	w.plan, w.made = p, make(map[string]*compiled)
}

// job is a unit that has to be compiled.
type job struct {
	unit    *unit
	used    map[string]bool
	files   stamps
	against map[string]string
}

// look decides what has to be done for a unit, given the interfaces of those before it: nothing, with its interface
// as it is, or a job.
func (w *workshop) look(u *unit, faces map[string]string) (*job, string, error) {
	files := u.stamp()
	against := make(map[string]string)
	listed := true
	for path := range u.imports {
		if face, ok := faces[path]; ok {
			against[path] = face
			listed = listed && face == asListed
		}
	}
	if listed && maps.Equal(files, u.built) {
		return nil, asListed, nil
	}
	if c := w.made[u.path]; c != nil && maps.Equal(files, c.files) && maps.Equal(against, c.against) {
		return nil, c.face, nil
	}
	used, ok := u.fits()
	if !ok || u.needed {
		return nil, "", errNotDirect
	}
	return &job{unit: u, used: used, files: files, against: against}, "", nil
}

// keep takes over a unit that was compiled.
func (w *workshop) keep(j *job, archive string) (face string, err error) {
	face, err = exportData(archive)
	if err != nil {
		return "", err
	}
	if old := w.made[j.unit.path]; old != nil {
		os.Remove(old.archive)
	}
	w.made[j.unit.path] = &compiled{archive: archive, files: j.files, against: j.against, face: face}
	return face, nil
}

// archiveOf is where a unit that is compiled now goes.
func (w *workshop) archiveOf(out string) string {
	w.count++
	return filepath.Join(out, fmt.Sprintf("unit-%d.a", w.count))
}

// exports are the compiled packages, those compiled directly in the place of those that were listed.
func (w *workshop) exports(faces map[string]string) map[string]string {
	all := make(map[string]string, len(w.plan.exports))
	for path, archive := range w.plan.exports {
		if face, ok := faces[path]; ok && face != asListed {
			archive = w.made[path].archive
		}
		all[path] = archive
	}
	return all
}

// exportData sums up what the compiler tells other packages of one, which is the first entry of its
// archive. As long as it is the same, they need not be compiled again.
func exportData(archive string) (string, error) {
	data, err := os.ReadFile(archive)
	if err != nil {
		return "", fmt.Errorf("read compiled package: %w", err)
	}
	const magic, headerSize = "!<arch>\n", 60
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < headerSize || !strings.HasPrefix(string(rest), "__.PKGDEF") {
		return "", errors.New("read compiled package: it is no archive of the compiler's")
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
	if err != nil || size < 0 || size > len(rest)-headerSize {
		return "", errors.New("read compiled package: its archive has no valid header")
	}
	return fmt.Sprintf("%x", sha256.Sum256(rest[headerSize:headerSize+size])), nil
}
