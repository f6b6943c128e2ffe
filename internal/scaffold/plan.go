package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is one file of a plan.
type File struct {
	Path string // slash-separated, relative to the plan's folder
	Data []byte
}

// Plan is files that are to be written into a folder, all or none.
type Plan struct {
	Dir   string // absolute; made if need be
	Files []File // sorted by path
}

// Conflicts returns what stands in the way: files that exist already, and files
// where folders must be. The paths are relative to Dir, sorted like Files.
func (p *Plan) Conflicts() ([]string, error) {
	if info, err := os.Stat(p.Dir); err == nil && !info.IsDir() {
		return []string{p.Dir + " (not a folder)"}, nil
	}
	var list []string
	seen := make(map[string]bool)
	for _, f := range p.Files {
		path, err := p.conflict(f)
		if err != nil {
			return nil, err
		}
		if path != "" && !seen[path] {
			seen[path] = true
			list = append(list, path)
		}
	}
	return list, nil
}

func (p *Plan) conflict(f File) (string, error) {
	// From the file up to Dir: the lowest thing that exists decides.
	for rel := filepath.FromSlash(f.Path); rel != "."; rel = filepath.Dir(rel) {
		_, err := os.Lstat(filepath.Join(p.Dir, rel))
		switch {
		case errors.Is(err, fs.ErrNotExist) || isNotDir(err):
			continue
		case err != nil:
			return "", fmt.Errorf("look for conflicts: %w", err)
		case rel == filepath.FromSlash(f.Path):
			return rel, nil
		}
		if info, err := os.Stat(filepath.Join(p.Dir, rel)); err != nil || !info.IsDir() {
			return rel + " (not a folder)", nil
		}
		return "", nil
	}
	return "", nil
}

// Write writes the files. If any of them is in conflict it writes nothing and
// the error is a *ConflictError; if writing fails, what was written is removed again.
func (p *Plan) Write() (err error) {
	conflicts, err := p.Conflicts()
	if err != nil {
		return err
	}
	if len(conflicts) > 0 {
		return &ConflictError{conflicts}
	}
	var made []string
	defer func() {
		if err != nil {
			for i := len(made) - 1; i >= 0; i-- {
				err = errors.Join(err, os.Remove(made[i]))
			}
		}
	}()
	for _, f := range p.Files {
		path := filepath.Join(p.Dir, filepath.FromSlash(f.Path))
		if made, err = makeDirs(filepath.Dir(path), made); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		// O_EXCL: somebody else may have made it since.
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("create a file: %w", err)
		}
		made = append(made, path)
		_, err = file.Write(f.Data)
		if err = errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// makeDirs is os.MkdirAll which notes in made what it has made.
func makeDirs(dir string, made []string) ([]string, error) {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return made, nil
	}
	if above := filepath.Dir(dir); above != dir {
		var err error
		if made, err = makeDirs(above, made); err != nil {
			return made, err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return made, err
	}
	return append(made, dir), nil
}

// isNotDir reports whether a path could not be looked up because a part of it is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
