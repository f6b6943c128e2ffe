package scaffold

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/templates"
)

func newProject(t *testing.T, o ProjectOptions) *Project {
	t.Helper()
	p, err := NewProject(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Project) file(path string) string {
	for _, f := range p.Files {
		if f.Path == path {
			return string(f.Data)
		}
	}
	return ""
}

func TestEveryTemplateMakesAProject(t *testing.T) {
	for _, tmpl := range templates.All {
		t.Run(tmpl.Name, func(t *testing.T) {
			p := newProject(t, ProjectOptions{Dir: filepath.Join(t.TempDir(), "My Project"), Template: tmpl})
			var paths []string
			for _, f := range p.Files {
				paths = append(paths, f.Path)
				if strings.Contains(string(f.Data), tmpl.Project) {
					t.Errorf("%s still has the template's name %q", f.Path, tmpl.Project)
				}
				if strings.HasSuffix(f.Path, "_test.go") {
					t.Errorf("%s is a test of the template", f.Path)
				}
			}
			for _, want := range []string{".gitignore", "README.md", "go.mod", "go.sum", "party.json", "party_gen.go", "party_embed_gen.go", "public/index.html", "server.go"} {
				if !slices.Contains(paths, want) {
					t.Errorf("there is no %s in %q", want, paths)
				}
			}
			if !slices.IsSorted(paths) {
				t.Errorf("files are not sorted: %q", paths)
			}
			if p.Name != "my-project" {
				t.Errorf("name is %q, want my-project", p.Name)
			}
			for _, path := range []string{"README.md", "party.json", "public/index.html"} {
				if !strings.Contains(p.file(path), "my-project") {
					t.Errorf("%s does not have the project's name", path)
				}
			}
			if !strings.HasPrefix(p.file("go.mod"), "module my-project\n") {
				t.Errorf("go.mod is not of the module my-project:\n%s", p.file("go.mod"))
			}
		})
	}
}

// A module that is named like a package of the standard library cannot be built.
func TestModulePath(t *testing.T) {
	for name, want := range map[string]string{"chat": "chat", "time": "time-app", "std": "std-app", "main": "main-app"} {
		if got, err := modulePath(t.Context(), name); err != nil || got != want {
			t.Errorf("modulePath(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestModuleAbove(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example\n")
	p := newProject(t, ProjectOptions{Dir: filepath.Join(dir, "a", "b"), Template: templates.All[0]})
	if p.file("go.mod") != "" || p.file("go.sum") != "" {
		t.Error("a go.mod would be written below another module")
	}
	if got, want := p.Module, filepath.Join(dir, "go.mod"); got != want || !p.Unknown {
		t.Errorf("Module, Unknown = %q, %v, want %q, true", got, p.Unknown, want)
	}
	write(t, filepath.Join(dir, "go.mod"), "module example\n\nrequire "+Module+" v0.0.0\n")
	if p = newProject(t, ProjectOptions{Dir: dir, Template: templates.All[0]}); p.Unknown {
		t.Error("a module that requires party is said not to")
	}
}

func TestFindCheckout(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	here := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if got, err := FindCheckout(t.Context()); err != nil || got.Dir != here || got.Go == "" {
		t.Errorf("FindCheckout() = %+v, %v, want %s and a version", got, err, here)
	}
	dir := t.TempDir()
	t.Setenv(CheckoutEnv, dir)
	wantNone(t, "a folder without go.mod", "no go.mod")
	write(t, filepath.Join(dir, "go.mod"), "module example\n")
	wantNone(t, "another module", "is the module example")
	write(t, filepath.Join(dir, "go.mod"), "module "+Module+"\n\ngo 1.26\n")
	if got, err := FindCheckout(t.Context()); err != nil || got != (Checkout{dir, "1.26"}) {
		t.Errorf("FindCheckout with %s: %+v, %v", CheckoutEnv, got, err)
	}
}

func TestCheckoutOfATrimmedBuild(t *testing.T) {
	if dir, err := rootOf(Module + "/internal/scaffold/checkout.go"); !errors.Is(err, ErrNoCheckout) {
		t.Errorf("rootOf with a trimmed path = %q, %v, want ErrNoCheckout", dir, err)
	}
}

func wantNone(t *testing.T, what, text string) {
	t.Helper()
	_, err := FindCheckout(context.Background())
	if !errors.Is(err, ErrNoCheckout) || !strings.Contains(err.Error(), text) {
		t.Errorf("FindCheckout with %s: %v, want ErrNoCheckout and %q", what, err, text)
	}
}

func TestChecksums(t *testing.T) {
	all := "a v1 h1:x\na v1/go.mod h1:y\nb v2 h1:x\nb v2/go.mod h1:y\n\n"
	want := "a v1 h1:x\na v1/go.mod h1:y\nb v2/go.mod h1:y\n"
	if diff := cmp.Diff(string(checksums([]byte(all), []string{"a v1"})), want); diff != "" {
		t.Errorf("checksums (-got +want):\n%s", diff)
	}
}

func TestQuotePath(t *testing.T) {
	for in, want := range map[string]string{
		"/src/party": "/src/party", "/my src/party": `"/my src/party"`, `C:\party`: `"C:\\party"`, "/a//b": `"/a//b"`, `/a"b`: `"/a\"b"`,
	} {
		if got := quotePath(in); got != want {
			t.Errorf("quotePath(%q) = %s, want %s", in, got, want)
		}
	}
}
