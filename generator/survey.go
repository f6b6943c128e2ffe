package generator

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// manifestFile marks the folder of a project: what is below such a folder
// belongs to no program outside of it.
const manifestFile = "party.json"

// survey finds the packages of the module that a program serves the rooms of, besides its own: those
// with annotations, in the project's folder and among what the program imports.
type survey struct {
	opts  Options
	where *locator
	root  string // folder that is searched, with all below it
	own   string // folder of the program
	list  *diag.List
	files seenFiles

	found []place
	stale []string            // files with our header in packages without annotations
	seen  map[string][]string // what the packages in folders that have been looked at import
}

// place is a package of the module.
type place struct{ dir, path string }

// packages searches the module. It finds nothing when there is none.
func (s *survey) packages() error {
	if s.where.module == "" {
		return nil
	}
	own, err := filepath.Abs(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("find the package: %w", err)
	}
	s.own, s.root, s.seen = own, s.project(own), make(map[string][]string)
	err = filepath.WalkDir(s.root, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && name == s.root:
			return err
		case err != nil:
			return nil // go build says so, if it matters
		case !e.IsDir():
			return nil
		case name != s.root && !isInside(s.own, name) && s.foreign(name, e.Name()):
			return fs.SkipDir
		}
		s.look(name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("search the project: %w", err)
	}
	s.follow()
	slices.SortFunc(s.found, func(a, b place) int { return strings.Compare(a.path, b.path) })
	return nil
}

// follow looks at what the program and the packages that were found import, directly or not, as far as it is of the module.
func (s *survey) follow() {
	s.look(s.own)
	todo := []string{s.own}
	for _, at := range s.found {
		todo = append(todo, at.dir)
	}
	done := make(map[string]bool)
	for len(todo) > 0 {
		dir := todo[0]
		todo = todo[1:]
		if done[dir] {
			continue
		}
		done[dir] = true
		s.look(dir)
		for _, importPath := range s.seen[dir] {
			rest, ok := strings.CutPrefix(importPath+"/", s.where.module+"/")
			if at := filepath.Join(s.where.root, filepath.FromSlash(rest)); ok && !s.otherModule(at) {
				todo = append(todo, at)
			}
		}
	}
}

// otherModule reports whether a folder below the module's is of a module inside of it.
func (s *survey) otherModule(dir string) bool {
	for ; dir != s.where.root; dir = filepath.Dir(dir) {
		if isModule(dir) {
			return true
		}
	}
	return false
}

// project is the folder of the manifest, or else of the program; no more of it than is in the module.
func (s *survey) project(own string) string {
	m := s.opts.Manifest
	if m == nil || m.Path == "" {
		return own
	}
	dir, err := filepath.Abs(filepath.Dir(m.Path))
	switch {
	case err != nil:
		return own
	case isInside(s.where.root, dir):
		return s.where.root
	}
	return dir
}

// isInside reports whether a folder is another one or below it.
func isInside(dir, other string) bool {
	return dir == other || strings.HasPrefix(dir, other+string(filepath.Separator))
}

// foreign reports whether a folder and what is below it is none of the module's, or of another project.
func (s *survey) foreign(dir, name string) bool {
	if name == "vendor" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	if isModule(dir) {
		return true
	}
	manifest := filepath.Join(dir, manifestFile)
	if s.opts.Manifest != nil && sameFile(manifest, s.opts.Manifest.Path) {
		return false
	}
	_, err := os.Lstat(manifest)
	return err == nil
}

func sameFile(a, b string) bool {
	x, err1 := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return err1 == nil && err2 == nil && x == y
}

// look takes a folder if its Go files have annotations, and notes what they import.
func (s *survey) look(dir string) {
	if _, seen := s.seen[dir]; seen {
		return
	}
	s.seen[dir] = nil
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // go build says so, if it matters
	}
	var ours []string
	annotated, left, program := false, false, false // left out of the build
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !isSource(name) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			info = nil // it says nothing about what it links to
		}
		file := filepath.Join(dir, name)
		switch seen, err := s.files.look(file, info, s.opts); {
		case err != nil:
		case seen.ours:
			ours, program = append(ours, file), program || seen.main
		case seen.in:
			annotated, program = annotated || seen.annotated, program || seen.main
			s.seen[dir] = append(s.seen[dir], seen.imports...)
		default:
			left = left || seen.annotated
		}
	}
	importPath := s.where.importPath(dir)
	switch {
	case dir == s.own || program: // nobody can import another program
	case annotated && mayImport(s.where.importPath(s.own), importPath):
		s.found = append(s.found, place{dir, importPath})
	case annotated:
		s.outOfReach(dir, importPath)
	case !left:
		s.stale = append(s.stale, ours...)
	}
}

// isSource reports whether a file can belong to a package.
func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_")
}

// hasAnnotation reports whether a line of a file begins as an annotation does. The scan knows for sure.
func hasAnnotation(data []byte) bool {
	for rest := data; ; {
		at := bytes.Index(rest, []byte(prefix))
		if at < 0 {
			return false
		}
		line := rest[bytes.LastIndexByte(rest[:at], '\n')+1 : at]
		if len(bytes.TrimSpace(line)) == 0 {
			return true
		}
		rest = rest[at+len(prefix):]
	}
}

// isProgram reports whether a folder is a package main.
func (s *survey) isProgram(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if e.IsDir() || !isSource(e.Name()) {
			return false
		}
		seen, err := s.files.look(filepath.Join(dir, e.Name()), nil, s.opts)
		return err == nil && seen.main
	})
}

// mayImport reports whether the go command lets a package import another one.
func mayImport(from, to string) bool {
	at := strings.LastIndex("/"+to+"/", "/internal/")
	if at < 0 {
		return true
	}
	parent := strings.Trim(("/" + to + "/")[:at], "/")
	return parent == "" || from == parent || strings.HasPrefix(from, parent+"/")
}

// outOfReach warns of rooms that no program can serve. Those that another program of the module can
// are that one's.
func (s *survey) outOfReach(dir, importPath string) {
	parent := dir
	for {
		base := filepath.Base(parent)
		parent = filepath.Dir(parent)
		if base == "internal" || parent == filepath.Dir(parent) {
			break
		}
	}
	served := false
	_ = filepath.WalkDir(parent, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && s.isProgram(name) {
			served = true
			return fs.SkipAll
		}
		return nil
	})
	if served {
		return
	}
	d := s.list.Warnf(diag.Position{File: dir}, "internal-rooms", "the rooms of package %s are not served: package %s may not import it", importPath, s.where.importPath(s.own))
	d.Hint = "only what is below " + path.Dir(strings.TrimSuffix(importPath[:strings.LastIndex(importPath+"/", "internal/")+len("internal")], "/")) + " may: move the one or the other"
}

// load reads the packages that were found. It reports whether all could be parsed.
func (s *survey) load() (roots []root, whole bool, err error) {
	whole = true
	for _, at := range s.found {
		o := s.opts
		o.Dir, o.File = at.dir, ""
		var list diag.List
		src, err := load(o, &list)
		if err != nil {
			return nil, false, err
		}
		r := root{path: at.path, src: src}
		if whole = whole && !list.HasErrors(); whole {
			r.ann = scan(src, s.list)
		}
		*s.list = append(*s.list, list...)
		roots = append(roots, r)
	}
	return roots, whole, nil
}
