package scaffold

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goparty-dev/party/templates"
)

// ProjectOptions describe a new project.
type ProjectOptions struct {
	Dir      string // absolute
	Name     string // default: from the folder's name, see CleanName
	Template templates.Template
}

// Project is the plan of a new project.
type Project struct {
	Plan
	Name     string
	Checkout Checkout
	// Module is the go.mod that rules over Dir already; empty if the project
	// gets its own.
	Module string
	// Unknown says that Module does not mention this project's module, and has to be told of it.
	Unknown bool
}

// NewProject plans a project. It reads the checkout (see FindCheckout) and
// runs the go command there; it writes nothing.
func NewProject(ctx context.Context, o ProjectOptions) (*Project, error) {
	p := &Project{Plan: Plan{Dir: o.Dir}, Name: o.Name}
	if p.Name == "" {
		p.Name = CleanName(filepath.Base(o.Dir))
	}
	if err := CheckName(p.Name); err != nil {
		return nil, err
	}
	var err error
	if p.Checkout, err = FindCheckout(ctx); err != nil {
		return nil, err
	}
	if err := p.addTemplate(o.Template); err != nil {
		return nil, fmt.Errorf("read the template %s: %w", o.Template.Name, err)
	}
	p.add(".gitignore", gitignore(p.Name))
	if err := p.addModule(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(p.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return p, nil
}

func (p *Project) add(path string, data []byte) { p.Files = append(p.Files, File{path, data}) }

// addTemplate adds the template's files under the project's name, without
// its tests: they test the template, with modules that a project need not have.
func (p *Project) addTemplate(t templates.Template) error {
	files := t.Files()
	return fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		p.add(path, bytes.ReplaceAll(data, []byte(t.Project), []byte(p.Name)))
		return nil
	})
}

// addModule adds go.mod and go.sum, unless the folder belongs to a module already.
func (p *Project) addModule(ctx context.Context) error {
	if path, ok := FindModule(p.Dir); ok {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the module: %w", err)
		}
		p.Module, p.Unknown = path, !bytes.Contains(data, []byte(Module))
		return nil
	}
	module, err := modulePath(ctx, p.Name)
	if err != nil {
		return err
	}
	mod, sum, err := p.Checkout.modFiles(ctx, module)
	if err != nil {
		return err
	}
	p.add("go.mod", mod)
	p.add("go.sum", sum)
	return nil
}

func gitignore(name string) []byte {
	return fmt.Appendf(nil, `# What the rooms have stored, and other things of party dev.
/.party/
# The data of a built program that was run here.
/data/
# What npm ci and the bundler make.
/node_modules/
/public/dist/
# What party build makes.
/%[1]s
/%[1]s.exe
# Secrets.
.env.local
`, name)
}
