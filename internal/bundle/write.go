package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// listName is the file in the output folder that lists what was written there, so that pieces with the
// names of earlier contents can be removed. Like every file with a dot it is neither served nor embedded.
const listName = ".party-bundle"

// write brings the files in a folder up to date. What has not changed is not touched, since
// pages are loaded again for what is.
func write(dir string, files []api.OutputFile) (written, removed []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("folder of the bundles: %w", err)
	}
	var names []string
	for _, f := range files {
		name, err := filepath.Rel(dir, f.Path)
		if err != nil || !filepath.IsLocal(name) {
			return written, nil, fmt.Errorf("bundle %s is not in the folder %s", f.Path, dir)
		}
		names = append(names, filepath.ToSlash(name))
		changed, err := replace(f.Path, f.Contents)
		if err != nil {
			return written, nil, fmt.Errorf("write bundle: %w", err)
		}
		if changed {
			written = append(written, f.Path)
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, listName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return written, nil, fmt.Errorf("list of the bundles: %w", err)
	}
	for name := range strings.Lines(string(before)) {
		name = strings.TrimSuffix(name, "\n")
		path := filepath.FromSlash(name)
		if name == "" || slices.Contains(names, name) || !filepath.IsLocal(path) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, path)); err == nil {
			removed = append(removed, filepath.Join(dir, path))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return written, removed, fmt.Errorf("remove an old bundle: %w", err)
		}
	}
	slices.Sort(names)
	if _, err := replace(filepath.Join(dir, listName), []byte(strings.Join(names, "\n")+"\n")); err != nil {
		return written, removed, fmt.Errorf("list of the bundles: %w", err)
	}
	return written, removed, nil
}

// replace writes a file whole, unless it is the same already.
func replace(path string, data []byte) (changed bool, err error) {
	if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, data) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return false, errors.Join(err, os.Remove(temp))
	}
	return true, os.Rename(temp, path)
}
