package hostbuild

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// errNotDirect says that a build has to go through the go command.
var errNotDirect = errors.New("this build needs the go command")

// plan is all that compiler and linker need to know to build the main package
// again. It does not change, and is good for as long as the stamps are.
type plan struct {
	env     goEnv
	godebug string
	modinfo string
	exports map[string]string // compiled packages by import path, all of them
	units   []*unit           // packages that can be compiled directly, after those that they import; the main one is the last
	others  stamps            // everything else that decides what the build is made of
	dirs    []string          // packages that are no units
	loose   []string          // files that are in none of dirs
}

// makePlan refuses with errNotDirect what direct does not know how to do.
func (b *Builder) makePlan(env goEnv, pkgs []*listed, found Packages) (*plan, error) {
	if len(pkgs) == 0 || !env.plain() {
		return nil, errNotDirect
	}
	main := pkgs[len(pkgs)-1] // dependencies come first
	if main.DepOnly || main.Name != "main" || main.foreign() || main.Module == nil || len(main.ImportMap) > 0 ||
		main.Error != nil || len(main.DepsErrors) > 0 || main.Export == "" {
		return nil, errNotDirect
	}
	p := &plan{env: env, godebug: main.DefaultGODEBUG, exports: map[string]string{}}
	for _, dep := range pkgs[:len(pkgs)-1] {
		switch {
		case dep.ImportPath == "unsafe":
			continue
		case dep.Export == "" || dep.ImportPath == "runtime/cgo":
			return nil, errNotDirect
		}
		p.exports[dep.ImportPath] = dep.Export
	}
	p.addUnits(pkgs, main)
	if len(p.units) == 0 {
		return nil, errNotDirect
	}
	for _, dir := range found.Dirs {
		if !slices.ContainsFunc(p.units, func(u *unit) bool { return u.dir == dir }) {
			p.dirs = append(p.dirs, dir)
		}
	}
	p.loose = found.Files
	var err error
	if p.others, err = p.stamp(); err != nil {
		return nil, errNotDirect
	}
	// What was written while go list ran may be missing in what it said. File systems
	// round times, hence the margin. The main package is compiled each time.
	last := p.others.newest()
	for _, u := range p.units[:len(p.units)-1] {
		u.built = u.stamp()
		if at := u.built.newest(); at.After(last) {
			last = at
		}
	}
	if last.After(found.Since.Add(-50 * time.Millisecond)) {
		return nil, errNotDirect
	}
	p.modinfo = b.modinfo()
	return p, nil
}

// modinfo is what debug.ReadBuildInfo will say, taken from the last binary
// that the go command has made. The marks around it are the linker's.
func (b *Builder) modinfo() string {
	const begin, end = "0w\xaf\f\x92t\b\x02A\xe1\xc1\a\xe6\xd6\x18\xe6", "\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
	bins, err := filepath.Glob(filepath.Join(b.opts.Out, "host-*"))
	if err != nil {
		return ""
	}
	for _, bin := range bins {
		info, err := buildinfo.ReadFile(bin)
		if err != nil {
			continue
		}
		// The version of Go is kept elsewhere in a binary.
		_, text, _ := strings.Cut(info.String(), "\n")
		return begin + text + end
	}
	return ""
}

// holds reports whether the plan still describes the packages on disk.
func (p *plan) holds() bool {
	now, err := p.stamp()
	return err == nil && maps.Equal(now, p.others)
}

// stamps tell versions of files apart without reading them.
type stamps map[string]stamp

type stamp struct {
	size    int64
	mod     int64
	present bool
}

func (s stamps) newest() time.Time {
	var last int64
	for _, st := range s {
		last = max(last, st.mod)
	}
	return time.Unix(0, last)
}

// stamp looks at all files of the packages but the Go files that units are made
// of, of which it notes only the names: direct compares their headers.
func (p *plan) stamp() (stamps, error) {
	s := stamps{}
	for _, dir := range p.dirs {
		if err := s.addDir(dir, nil); err != nil {
			return nil, err
		}
	}
	for _, f := range p.loose {
		s.addFile(f)
	}
	for _, u := range p.units {
		if err := s.addDir(u.dir, u.files); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s stamps) addDir(dir string, mine map[string]header) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read package folder: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !IsSource(name) {
			continue
		}
		path := filepath.Join(dir, name)
		if _, ok := mine[name]; ok {
			s[path] = stamp{present: true}
		} else {
			s.addFile(path)
		}
	}
	return nil
}

func (s stamps) addFile(path string) {
	if info, err := os.Stat(path); err == nil {
		s[path] = stamp{size: info.Size(), mod: info.ModTime().UnixNano(), present: true}
	} else {
		s[path] = stamp{}
	}
}

// IsSource reports whether the go command would take a file of that name into
// a package; tests do not count.
func IsSource(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	switch filepath.Ext(name) {
	case ".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90",
		".s", ".S", ".sx", ".swig", ".swigcxx", ".syso", ".pgo":
		return true
	}
	return false
}
