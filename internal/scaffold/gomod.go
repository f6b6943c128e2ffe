package scaffold

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// runtimePackages are what a project's generated code imports.
var runtimePackages = []string{"./runtime", "./runtime/server"}

// platforms are those whose dependencies a project lists, so that it can be built for them
// without network. Together they cover the build constraints of what we import.
var platforms = []string{"linux/amd64", "darwin/arm64", "windows/amd64", "freebsd/amd64"}

// requirements returns the modules, "path version", that the runtime is built
// from on any platform, sorted.
func (c Checkout) requirements(ctx context.Context) ([]string, error) {
	outs, errs := make([][]byte, len(platforms)), make([]error, len(platforms))
	var wg sync.WaitGroup
	for i, p := range platforms {
		wg.Go(func() {
			system, arch, _ := strings.Cut(p, "/")
			env := []string{"GOOS=" + system, "GOARCH=" + arch, "CGO_ENABLED=0", "GOWORK=off"}
			args := []string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"}
			outs[i], errs[i] = run(ctx, c.Dir, env, append(args, runtimePackages...)...)
		})
	}
	wg.Wait()
	var mods []string
	for i, out := range outs {
		if errs[i] != nil {
			return nil, fmt.Errorf("list what the checkout's runtime needs: %w", errs[i])
		}
		for line := range strings.Lines(string(out)) {
			if line = strings.TrimSpace(line); line != "" {
				mods = append(mods, line)
			}
		}
	}
	slices.Sort(mods)
	return slices.Compact(mods), nil
}

// modFiles returns go.mod and go.sum of a project that uses the checkout.
//
// They are complete, so that the project builds without network and without go
// mod tidy as soon as the checkout does.
func (c Checkout) modFiles(ctx context.Context, module string) (mod, sum []byte, err error) {
	reqs, err := c.requirements(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := os.ReadFile(filepath.Join(c.Dir, "go.sum"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the checkout's checksums: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\n", module, c.Go)
	fmt.Fprintf(&b, "require %s v0.0.0\n\n", Module)
	b.WriteString("// party is not published yet: until it is, its code comes from the checkout that\n")
	b.WriteString("// built the command which wrote this file. Put another path here if it moves.\n")
	fmt.Fprintf(&b, "replace %s => %s\n\n", Module, quotePath(c.Dir))
	b.WriteString("// What the checkout needs in turn, in its versions.\nrequire (\n")
	for _, r := range reqs {
		fmt.Fprintf(&b, "\t%s // indirect\n", r)
	}
	b.WriteString(")\n")
	return b.Bytes(), checksums(all, reqs), nil
}

// checksums keeps the sums of the code in mods, and of the go.mod files of the whole
// module graph, which the go command reads for some questions.
func checksums(all []byte, mods []string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(all)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		_, needed := slices.BinarySearch(mods, fields[0]+" "+fields[1])
		if needed || strings.HasSuffix(fields[1], "/go.mod") {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	return b.Bytes()
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./:~+@-]+$`)

// quotePath writes a path as go.mod wants it.
func quotePath(path string) string {
	if plainPath.MatchString(path) && !strings.Contains(path, "//") {
		return path
	}
	return strconv.Quote(path)
}

// modulePath is the module of a project of that name. A name that is in the
// standard library would be ambiguous.
func modulePath(ctx context.Context, name string) (string, error) {
	out, err := run(ctx, "", nil, "env", "GOROOT")
	if err != nil {
		return "", err
	}
	_, err = os.Stat(filepath.Join(strings.TrimSpace(string(out)), "src", name))
	if err == nil || name == "std" || name == "main" {
		return name + "-app", nil
	}
	return name, nil
}

// FindModule returns the go.mod that rules over dir, which need not exist yet; false if there is none.
func FindModule(dir string) (path string, ok bool) {
	for {
		path := filepath.Join(dir, "go.mod")
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, true
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", false
		}
		dir = above
	}
}
