package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/goparty-dev/party/internal/deployfiles"
	"github.com/goparty-dev/party/internal/scaffold"
)

// writeDeployFile shows a file for another tool, or writes it where -o says. A file that is there is not touched.
func (o *buildOptions) writeDeployFile(s *streams, p *project) error {
	opts := deployfiles.Options{Name: scaffold.CleanName(p.name())}
	var err error
	if opts.Ldflags, err = p.ldflags(); err != nil {
		return err
	}
	if opts.Package, opts.Go, err = p.place(); err != nil {
		return err
	}
	f, err := deployfiles.Render(o.emit, opts)
	if err != nil {
		return err
	}
	if o.output == "" {
		_, err := s.out.Write(f.Content)
		return err
	}
	path, err := o.outputPath(p, filepath.FromSlash(f.Path))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write the deployment file: %w", err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already and is left as it is", shown(path))
	}
	if err != nil {
		return fmt.Errorf("write the deployment file: %w", err)
	}
	_, err = out.Write(f.Content)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write the deployment file: %w", err)
	}
	s.printf("Wrote %s\n", shown(path))
	return nil
}

// place finds the package below its module, and the module's version of Go.
func (p *project) place() (pkg, version string, err error) {
	for dir := p.dir; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, os.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		if err != nil {
			return "", "", fmt.Errorf("find the module of %s: %w", shown(p.dir), err)
		}
		rel, err := filepath.Rel(dir, p.dir)
		if err != nil {
			return "", "", fmt.Errorf("find the module of %s: %w", shown(p.dir), err)
		}
		if rel != "." {
			rel = "./" + filepath.ToSlash(rel)
		}
		return rel, goVersion(data), nil
	}
}

// goVersion is the language version of a go.mod, "" if it has none.
func goVersion(mod []byte) string {
	f, err := modfile.ParseLax("go.mod", mod, nil)
	if err != nil || f.Go == nil {
		return ""
	}
	parts := strings.SplitN(f.Go.Version, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "." + parts[1]
}
