package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// project is what a command works on: a main package and its manifest.
type project struct {
	manifest *manifest.Manifest // with defaults if there is no file
	path     string             // of the manifest, absolute; empty if there is none
	dir      string             // of the package, absolute
	file     string             // the Go file that was named, absolute; empty if a folder was
}

// findProject finds what a command is about. arg is a Go file, a folder, or
// empty for the working directory.
//
// The manifest is the nearest one at or above that place. Its main key says which package is meant,
// unless arg says so itself: by naming a file, or a folder with Go
// files that does not hold the manifest. Without a manifest, arg is the package.
//
// What is wrong with the user's files is a diag.List as error.
func findProject(arg string) (*project, error) {
	place, err := filepath.Abs(arg)
	if err != nil {
		return nil, fmt.Errorf("find the project: %w", err)
	}
	info, err := os.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file or folder %s", shown(place))
	case err != nil:
		return nil, fmt.Errorf("find the project: %w", err)
	case !info.IsDir() && filepath.Ext(place) != ".go":
		return nil, fmt.Errorf("%s is neither a Go file nor a folder", shown(place))
	}
	p := &project{dir: place, manifest: manifest.Default()}
	if !info.IsDir() {
		p.file, p.dir = place, filepath.Dir(place)
	}
	path, ok := manifest.Find(p.dir)
	if !ok {
		return p, nil
	}
	m, list := manifest.Load(path)
	if list.HasErrors() {
		return nil, list
	}
	p.manifest, p.path = m, path
	if p.file != "" || arg != "" && filepath.Dir(path) != p.dir && hasGoFiles(p.dir) {
		return p, nil
	}
	return p, p.useMain()
}

// useMain makes the package the one that the manifest names.
func (p *project) useMain() error {
	main := p.manifest.Abs(p.manifest.Main)
	info, err := os.Stat(main)
	if err != nil {
		var list diag.List
		d := list.Errorf(p.manifest.Pos("main"), "no-main", "%q does not exist", p.manifest.Main)
		if !errors.Is(err, fs.ErrNotExist) {
			d.Message = fmt.Sprintf("%q cannot be read", p.manifest.Main)
		}
		d.Hint = `"main" is the Go file or the package folder with the room types, relative to the manifest`
		return list
	}
	p.dir, p.file = main, ""
	if !info.IsDir() {
		p.dir, p.file = filepath.Dir(main), main
	}
	return nil
}

// root is the folder that the manifest is in, or the package's if there is none.
func (p *project) root() string {
	if p.path != "" {
		return filepath.Dir(p.path)
	}
	return p.dir
}

func hasGoFiles(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	return err == nil && len(files) > 0
}
