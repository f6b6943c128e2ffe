package generator

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
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

// survey finds the packages of the module that a program serves the rooms of,
// besides its own: all that have annotations and that it may import.
type survey struct {
	opts  Options
	where *locator
	root  string // folder that is searched
	own   string // folder of the program
	list  *diag.List
	files seenFiles

	found []place
	stale []string // files with our header in packages without annotations
}

// place is a package of the module.
type place struct{ dir, path string }

// packages searches the module. It returns nothing when there is none.
func (s *survey) packages() error {
	if s.where.module == "" {
		return nil
	}
	own, err := filepath.Abs(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("find the package: %w", err)
	}
	s.own = own
	if s.root = s.opts.Root; s.root == "" {
		s.root = s.project()
	}
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
		case name == s.own:
			return nil
		}
		return s.look(name)
	})
	if err != nil {
		return fmt.Errorf("search the module: %w", err)
	}
	slices.SortFunc(s.found, func(a, b place) int { return strings.Compare(a.path, b.path) })
	return nil
}

// project is the folder to search: the module's, unless another project is around this one.
func (s *survey) project() string {
	m := s.opts.Manifest
	if m == nil || m.Path == "" {
		return s.where.root
	}
	dir, err := filepath.Abs(filepath.Dir(m.Path))
	if err != nil || !isInside(dir, s.where.root) {
		return s.where.root
	}
	for above := dir; above != s.where.root; {
		above = filepath.Dir(above)
		if _, err := os.Lstat(filepath.Join(above, manifestFile)); err == nil {
			return dir
		}
	}
	return s.where.root
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

// look takes a folder whose Go files have annotations.
func (s *survey) look(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // as above
	}
	var ours []string
	annotated, left := false, false // out of the build
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
		switch seen, err := s.files.look(file, info); {
		case err != nil:
		case seen.ours:
			ours = append(ours, file)
		case seen.annotated:
			in := !fileIgnored(dir, name, s.opts)
			annotated, left = annotated || in, left || !in
		}
	}
	importPath := s.where.importPath(dir)
	switch {
	case !annotated && (left || len(ours) == 0), s.isProgram(dir):
		return nil
	case !annotated:
		s.stale = append(s.stale, ours...)
	case mayImport(s.where.importPath(s.own), importPath):
		s.found = append(s.found, place{dir, importPath})
	default:
		s.outOfReach(dir, importPath)
	}
	return nil
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

// isProgram reports whether a folder is a package main: nobody can import that.
func (s *survey) isProgram(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !isSource(name) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.PackageClauseOnly)
		// A file that is left out of the build may be of a package of its own, as tools are.
		if err == nil && !fileIgnored(dir, name, s.opts) {
			return file.Name.Name == "main"
		}
	}
	return false
}

func fileIgnored(dir, name string, o Options) bool {
	data, err := os.ReadFile(filepath.Join(dir, name))
	return err != nil || !isOurs(data) && !inBuild(o, dir, name, data)
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
