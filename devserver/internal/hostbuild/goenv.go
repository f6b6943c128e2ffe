package hostbuild

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// goEnv is what the go command knows about its surroundings.
type goEnv map[string]string

// asked are the variables that are of interest: where things are, and what the
// go command passes on to the tools it runs.
var asked = []string{
	"GOFLAGS", "GOENV", "GOMOD", "GOWORK", "GOROOT", "GOMODCACHE", "GOTOOLDIR", "GOVERSION", "CGO_ENABLED",
	"GOOS", "GOARCH", "GOEXPERIMENT", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64",
}

func (b *Builder) goEnv(ctx context.Context) (goEnv, error) {
	out, err := b.run(ctx, nil, b.opts.Go, append([]string{"env", "-json"}, asked...)...)
	if err != nil {
		return nil, b.failure(out, err)
	}
	var env goEnv
	if err := json.Unmarshal([]byte(out), &env); err != nil {
		return nil, fmt.Errorf("read go env: %w", err)
	}
	b.mu.Lock()
	b.env = env
	b.mu.Unlock()
	return env, nil
}

// tags joins the tags of GOFLAGS with Tag.
func (e goEnv) tags() string {
	tags := Tag
	for _, f := range strings.Fields(e["GOFLAGS"]) {
		if own, ok := strings.CutPrefix(strings.TrimLeft(f, "-"), "tags="); ok && own != "" {
			tags = own + "," + Tag
		}
	}
	return tags
}

// plain reports whether GOFLAGS holds nothing that changes how a package is
// compiled or linked, as -race or -gcflags do.
func (e goEnv) plain() bool {
	for _, f := range strings.Fields(e["GOFLAGS"]) {
		name, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "=")
		switch name {
		case "tags", "mod", "modcacherw", "buildvcs", "p", "v", "x", "pgo":
		default:
			return false
		}
	}
	return true
}

// files are those outside of packages that decide what a build is made of.
func (e goEnv) files() []string {
	var files []string
	for _, f := range []string{e["GOENV"], e["GOMOD"], e["GOWORK"]} {
		if f != "" && f != "off" {
			files = append(files, f)
		}
	}
	if mod := e["GOMOD"]; filepath.Base(mod) == "go.mod" {
		dir := filepath.Dir(mod)
		files = append(files, filepath.Join(dir, "go.sum"), filepath.Join(dir, "vendor", "modules.txt"))
	}
	if work := e["GOWORK"]; work != "" && work != "off" {
		files = append(files, filepath.Join(filepath.Dir(work), "go.work.sum"))
	}
	return files
}

// tool is the path of a tool of this toolchain.
func (e goEnv) tool(name string) string { return filepath.Join(e["GOTOOLDIR"], name) }

// exports is what the go command adds to the environment of the tools.
func (e goEnv) exports() []string {
	var list []string
	for _, k := range asked {
		switch k {
		case "GOFLAGS", "GOENV", "GOMOD", "GOWORK", "GOMODCACHE", "GOTOOLDIR", "GOVERSION":
			continue
		}
		if e[k] != "" {
			list = append(list, k+"="+e[k])
		}
	}
	return list
}
