package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// walk calls visit for every file of the set that may exist, and has the
// folders that contain them watched.
func (w *Watcher) walk(visit func(path string)) {
	for _, path := range w.set.Files {
		w.add(filepath.Dir(path))
		visit(path)
	}
	for _, dir := range w.set.Dirs {
		w.add(dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); !e.IsDir() && w.set.has(path) {
				visit(path)
			}
		}
	}
	for _, tree := range w.set.Trees {
		// What cannot be read is not there; it is tried again with the next sweep.
		_ = filepath.WalkDir(tree, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil
			case e.IsDir() && path != tree && foreign(e.Name()):
				return fs.SkipDir
			case e.IsDir():
				w.add(path)
			case w.set.has(path):
				visit(path)
			}
			return nil
		})
	}
	w.search(visit)
}

// search is walk for the folder that is searched.
func (w *Watcher) search(visit func(path string)) {
	if w.set.Search == "" {
		return
	}
	// As with trees.
	_ = filepath.WalkDir(w.set.Search, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case e.IsDir() && path != w.set.Search && noPackage(e.Name()):
			return fs.SkipDir
		case e.IsDir():
			w.add(path)
		case w.set.has(path):
			visit(path)
		}
		return nil
	})
}

// wants reports whether a folder is one that walk would watch.
func (w *Watcher) wants(dir string) bool {
	if slices.Contains(w.set.Dirs, dir) || w.set.inTree(dir) || w.set.inSearch(dir) {
		return true
	}
	return slices.ContainsFunc(w.set.Files, func(path string) bool { return filepath.Dir(path) == dir })
}

// add is called again with every sweep: a folder that was removed and made again needs it.
func (w *Watcher) add(dir string) {
	if w.notify == nil {
		return
	}
	if err := w.notify.Add(dir); err == nil {
		w.watched[dir] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		w.warn(err)
	}
}
