package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder is a target on a disk.
type folder string

var _ Target = folder("")

func (f folder) String() string { return string(f) }

func (f folder) path(name string) string { return filepath.Join(string(f), filepath.FromSlash(name)) }

func (f folder) Put(ctx context.Context, name string, r io.Reader, size int64) (err error) {
	if !valid(name) {
		return fmt.Errorf("put snapshot %q: not a name", name)
	}
	path := f.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("put snapshot %s: %w", name, err)
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".tmp-")
	if err != nil {
		return fmt.Errorf("put snapshot %s: %w", name, err)
	}
	defer os.Remove(out.Name()) // it is gone if all went well
	n, err := io.Copy(out, interrupted{ctx, r})
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("put snapshot %s: %w", name, err)
	}
	if err := os.Rename(out.Name(), path); err != nil {
		return fmt.Errorf("put snapshot %s: %w", name, err)
	}
	return nil
}

// interrupted reads until a context ends.
type interrupted struct {
	ctx context.Context
	r   io.Reader
}

func (i interrupted) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

func (f folder) List(_ context.Context, prefix string) ([]Snapshot, error) {
	var out []Snapshot
	err := filepath.WalkDir(string(f), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing has been kept yet, or it has just been removed
		}
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(string(f), path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if !valid(name) || !strings.HasPrefix(name, prefix) {
			return nil
		}
		info, err := e.Info()
		if err == nil {
			out = append(out, Snapshot{Name: name, Size: info.Size()})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list snapshots in %s: %w", f, err)
	}
	slices.SortFunc(out, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (f folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	if !valid(name) {
		return nil, fmt.Errorf("get snapshot %q: %w", name, ErrNotFound)
	}
	file, err := os.Open(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("get snapshot %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get snapshot %s: %w", name, err)
	}
	return file, nil
}

func (f folder) Delete(_ context.Context, name string) error {
	if !valid(name) {
		return fmt.Errorf("delete snapshot %q: not a name", name)
	}
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete snapshot %s: %w", name, err)
	}
	return nil
}
