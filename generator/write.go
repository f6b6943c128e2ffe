package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Written is what Write did: paths in the order in which it did it.
type Written struct {
	Changed []string
	Removed []string
}

// Write brings the files on disk up to date. A file whose bytes are right is not
// touched; a new one takes the place of the old at once, so that a build that
// runs meanwhile sees one of them whole. Then stale files are removed, if they
// still have our header. On an error the rest stays as it was.
func (r *Result) Write() (Written, error) {
	var w Written
	c, err := r.changes()
	if err != nil {
		return w, err
	}
	for _, f := range c.write {
		if r.Model != nil && r.Model.Client != nil && filepath.Ext(f.Path) == ".ts" {
			// The package's folder is there, that of the client module may be to come.
			if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
				return w, fmt.Errorf("write client module: %w", err)
			}
		}
		if err := replace(f); err != nil {
			return w, fmt.Errorf("write generated file: %w", err)
		}
		w.Changed = append(w.Changed, f.Path)
	}
	for _, path := range c.remove {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return w, fmt.Errorf("remove stale file: %w", err)
		}
		w.Removed = append(w.Removed, path)
	}
	return w, nil
}

// replace writes a file by way of a temporary one beside it, whose name the go command ignores.
func replace(f File) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(f.Data)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.Path)
}
