package hostbuild

import (
	"go/version"
	"path/filepath"
	"slices"
)

// unit is a package of the user's module that can be compiled without the go command.
type unit struct {
	path    string // for the compiler: that of the main package is "main"
	dir     string
	lang    string            // as in go1.26: the compiler wants no patch release
	imports map[string]bool   // by import path
	files   map[string]header // its Go files by name
	// needed says that a package which is no unit imports this one, and that it so is not for direct to change.
	needed bool
	built  stamps // of the files that the go command has compiled; nil for the main package
}

// addUnits finds the units among the packages, of which dependencies come first. Without the main one there are none.
func (p *plan) addUnits(pkgs []*listed, main *listed) {
	for _, pkg := range pkgs {
		u := newUnit(pkg, main)
		if u != nil {
			p.units = append(p.units, u)
			continue
		}
		for _, other := range p.units {
			other.needed = other.needed || slices.Contains(pkg.Imports, other.path)
		}
	}
	if len(p.units) == 0 || p.units[len(p.units)-1].dir != main.Dir {
		p.units = nil
	}
}

// newUnit returns nil for a package that is not of the user's module, or with more to it than Go files.
func newUnit(pkg, main *listed) *unit {
	if pkg.Module == nil || pkg.Module.Path != main.Module.Path || pkg.Module.Replace != nil || pkg.foreign() || len(pkg.ImportMap) > 0 ||
		pkg.Error != nil || len(pkg.DepsErrors) > 0 {
		return nil
	}
	u := &unit{path: pkg.ImportPath, dir: pkg.Dir, lang: version.Lang("go" + pkg.Module.GoVersion), imports: map[string]bool{}, files: map[string]header{}}
	if pkg == main {
		u.path = "main"
	}
	if u.lang == "" {
		return nil
	}
	for _, path := range pkg.Imports {
		u.imports[path] = true
	}
	for _, name := range pkg.GoFiles {
		h, err := readHeader(filepath.Join(pkg.Dir, name))
		if err != nil || h.embeds {
			return nil
		}
		u.files[name] = h
	}
	return u
}

// stamp looks at the unit's Go files.
func (u *unit) stamp() stamps {
	s := stamps{}
	for name := range u.files {
		s.addFile(filepath.Join(u.dir, name))
	}
	return s
}

// fits reports whether the unit's files, as they are now, can be compiled as the plan says, and what they import.
func (u *unit) fits() (used map[string]bool, ok bool) {
	used = map[string]bool{}
	for name, was := range u.files {
		now, err := readHeader(filepath.Join(u.dir, name))
		if err != nil || !was.sameBuild(now, u.imports) {
			return nil, false
		}
		for _, path := range now.imports {
			used[path] = true
		}
	}
	return used, true
}

// names are those of the unit's files for the compiler, which runs in the main package's folder.
func (u *unit) names() []string {
	var names []string
	for name := range u.files {
		if u.path == "main" {
			names = append(names, "./"+name)
		} else {
			names = append(names, filepath.Join(u.dir, name))
		}
	}
	slices.Sort(names)
	return names
}
