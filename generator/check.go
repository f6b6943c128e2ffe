package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
)

// changes are what Write would do.
type changes struct {
	write  []File
	old    map[string][]byte // of the files in write that are there
	remove []string
}

func (r *Result) changes() (changes, error) {
	c := changes{old: make(map[string][]byte)}
	files := r.Files
	if r.Manifest != nil {
		// First: what is generated from a manifest must not be ahead of it.
		files = append([]File{*r.Manifest}, files...)
	}
	for _, f := range files {
		old, err := os.ReadFile(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.write = append(c.write, f)
		case err != nil:
			return c, fmt.Errorf("compare generated file: %w", err)
		case !bytes.Equal(old, f.Data):
			c.write = append(c.write, f)
			c.old[f.Path] = old
		}
	}
	for _, path := range r.Stale {
		ours, err := readsAsOurs(path)
		if err != nil {
			return c, err
		}
		if ours {
			c.remove = append(c.remove, path)
		}
	}
	return c, nil
}

// readsAsOurs reports whether the file is there and has our header, now.
func readsAsOurs(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("compare generated file: %w", err)
	}
	return isOurs(data), nil
}

// Check returns the paths of the files on disk that are not as they should
// be: to be made, to be changed, or to be removed. It is empty when all is well.
func (r *Result) Check() ([]string, error) {
	c, err := r.changes()
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range c.write {
		paths = append(paths, f.Path)
	}
	paths = append(paths, c.remove...)
	slices.Sort(paths)
	return paths, nil
}

// Diff returns what Write would change, as a unified diff from the files on
// disk. It is empty when nothing would.
func (r *Result) Diff() ([]byte, error) {
	c, err := r.changes()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, f := range c.write {
		before := f.Path
		if _, there := c.old[f.Path]; !there {
			before = os.DevNull
		}
		out = append(out, diff.Diff(before, c.old[f.Path], f.Path, f.Data)...)
	}
	for _, path := range c.remove {
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("compare generated file: %w", err)
		}
		out = append(out, diff.Diff(path, old, os.DevNull, nil)...)
	}
	return out, nil
}

// Print writes the generated files, without the manifest, to w, one after the other.
func (r *Result) Print(w io.Writer) error {
	for _, f := range r.Files {
		if _, err := w.Write(f.Data); err != nil {
			return fmt.Errorf("print generated file: %w", err)
		}
	}
	return nil
}
