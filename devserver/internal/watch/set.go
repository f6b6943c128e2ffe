package watch

import (
	"path/filepath"
	"strings"
)

// Set is what is watched. Paths are absolute and need not exist.
type Set struct {
	// Dirs are folders of which only the files directly in them count, and
	// of these only those for whose names Match holds. Default: all.
	Dirs  []string
	Match func(name string) bool
	// Trees are folders with all that is below them.
	Trees []string
	// Search is a folder of which, at any depth, those files count for whose names Match holds,
	// but for what is in folders that the go command takes no packages from. Empty: none.
	Search string
	// Files are single files.
	Files []string
}

// has reports whether a change of the file is of interest.
func (s *Set) has(path string) bool {
	for _, f := range s.Files {
		if f == path {
			return true
		}
	}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if temporary(name) {
		return false
	}
	for _, d := range s.Dirs {
		if d == dir {
			return s.Match == nil || s.Match(name)
		}
	}
	return s.inTree(path) || s.inSearch(dir) && (s.Match == nil || s.Match(name))
}

// inSearch reports whether a folder is one that is searched.
func (s *Set) inSearch(dir string) bool {
	if s.Search == "" || dir == s.Search {
		return s.Search != ""
	}
	rel, ok := strings.CutPrefix(dir, s.Search+string(filepath.Separator))
	if !ok {
		return false
	}
	for _, part := range strings.Split(rel, string(filepath.Separator)) {
		if noPackage(part) {
			return false
		}
	}
	return true
}

// noPackage names are of folders that the go command leaves out when it looks for packages.
func noPackage(name string) bool {
	return foreign(name) || name == "vendor" || name == "testdata" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")
}

// inTree reports whether path is below a tree, or is one, and not in a
// folder that does not count.
func (s *Set) inTree(path string) bool {
	for _, tree := range s.Trees {
		if path == tree {
			return true
		}
		rel, ok := strings.CutPrefix(path, tree+string(filepath.Separator))
		if !ok {
			continue
		}
		hidden := false
		for _, part := range strings.Split(rel, string(filepath.Separator)) {
			hidden = hidden || foreign(part)
		}
		if !hidden {
			return true
		}
	}
	return false
}

// foreign names are of tools' own files; .well-known is meant to be served.
func foreign(name string) bool {
	return name == "node_modules" || strings.HasPrefix(name, ".") && name != ".well-known"
}

// temporary names are those under which editors keep a file for a moment.
func temporary(name string) bool {
	switch {
	case strings.HasSuffix(name, "~"), strings.HasPrefix(name, ".#"),
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"),
		strings.HasPrefix(name, ".goutputstream-"),
		strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"),
		name == "4913": // vim's test whether it may write here
		return true
	}
	switch filepath.Ext(name) {
	case ".swp", ".swo", ".swx", ".tmp":
		return true
	}
	return false
}
