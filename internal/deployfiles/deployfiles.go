package deployfiles

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"shell": shell}).ParseFS(files, "templates/*.tmpl"))

// Options are what the files depend on. Name is required.
type Options struct {
	Name    string // of the server: lower case letters, digits and hyphens
	Package string // of the program, below the module's root: "./cmd/chat". Default "."
	Image   string // Default Name:latest
	Go      string // version, as in go.mod. Default 1.26
	Ldflags string // Default -s -w
	Binary  string // where systemd finds it. Default /usr/local/bin/Name
}

// File is what is to be written where.
type File struct {
	Path    string // usual, below the project's root, with slashes
	Content []byte
}

// kinds are the templates by what users call them, with the usual places of what comes out.
var kinds = map[string]func(o *Options) (tmpl, path string){
	"systemd":    func(o *Options) (string, string) { return "systemd.tmpl", o.Name + ".service" },
	"dockerfile": func(*Options) (string, string) { return "dockerfile.tmpl", "Dockerfile" },
	"kubernetes": func(*Options) (string, string) { return "kubernetes.tmpl", "kubernetes.yaml" },
	"fly":        func(*Options) (string, string) { return "fly.tmpl", "fly.toml" },
	"github":     func(*Options) (string, string) { return "github.tmpl", ".github/workflows/server.yml" },
}

// Kinds are the files that there are, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kinds))
	for k := range kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

var (
	plainName    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	plainPackage = regexp.MustCompile(`^(\.|\./[A-Za-z0-9_./-]+)$`)
	plainVersion = regexp.MustCompile(`^1\.[0-9]+$`)
	plainImage   = regexp.MustCompile(`^[A-Za-z0-9._:/-]+$`)
	plainPath    = regexp.MustCompile(`^/[A-Za-z0-9_./+-]+$`)
)

// maxStatefulSet is the longest name of a StatefulSet: Kubernetes makes a label of it, of 63 bytes, with a hash behind.
const maxStatefulSet = 52

// Render makes one file. It fails for a kind that there is not, and for values that would have to be quoted
// where they go.
func Render(kind string, o Options) (File, error) {
	find, ok := kinds[kind]
	if !ok {
		return File{}, fmt.Errorf("there is no file for %q", kind)
	}
	o.setDefaults()
	for _, v := range []struct {
		what, value string
		form        *regexp.Regexp
	}{
		{"name", o.Name, plainName}, {"package", o.Package, plainPackage}, {"image", o.Image, plainImage},
		{"Go version", o.Go, plainVersion}, {"path of the binary", o.Binary, plainPath},
	} {
		if !v.form.MatchString(v.value) {
			return File{}, fmt.Errorf("the %s %q cannot be written into such a file", v.what, v.value)
		}
	}
	if strings.ContainsAny(o.Ldflags, "\n\r\x00\\$") {
		return File{}, fmt.Errorf("the linker flags %q cannot be written into such a file", o.Ldflags)
	}
	if kind == "kubernetes" && len(o.Name) > maxStatefulSet {
		return File{}, fmt.Errorf("the name %q is longer than the %d bytes that Kubernetes allows here", o.Name, maxStatefulSet)
	}
	tmpl, path := find(&o)
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, tmpl, o); err != nil {
		return File{}, fmt.Errorf("write the %s file: %w", kind, err)
	}
	return File{path, out.Bytes()}, nil
}

func (o *Options) setDefaults() {
	for _, d := range []struct {
		to  *string
		def string
	}{
		{&o.Package, "."}, {&o.Image, o.Name + ":latest"}, {&o.Go, "1.26"}, {&o.Ldflags, "-s -w"}, {&o.Binary, "/usr/local/bin/" + o.Name},
	} {
		if *d.to == "" {
			*d.to = d.def
		}
	}
}

// shell quotes a word for a shell.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
