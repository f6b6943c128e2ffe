package generator

import (
	"context"
	"go/build"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// patience bounds one question to the go command.
const patience = 10 * time.Second

// locator finds the folders of imported packages.
type locator struct {
	dir  string // of the importing package
	tags []string

	root   string   // of the module; empty when there is none
	module string   // its path
	words  []string // all words of go.mod
}

func newLocator(o Options) *locator {
	l := &locator{dir: o.Dir, tags: o.Tags}
	abs, err := filepath.Abs(o.Dir)
	if err != nil {
		return l
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			l.root = dir
			l.read(string(data))
			return l
		}
		if dir == filepath.Dir(dir) {
			return l
		}
	}
}

func (l *locator) read(gomod string) {
	l.words = strings.Fields(strings.ReplaceAll(gomod, `"`, ""))
	if i := slices.Index(l.words, "module"); i >= 0 && i+1 < len(l.words) {
		l.module = l.words[i+1]
	}
}

// importPath returns the import path of a folder of the module, "" of any other.
func (l *locator) importPath(dir string) string {
	rel, err := filepath.Rel(l.root, dir)
	if err != nil || l.module == "" || !filepath.IsLocal(rel) {
		return ""
	}
	return path.Join(l.module, filepath.ToSlash(rel))
}

// standard reports whether a path is of the standard library: it has no dot in
// its first element, and go.mod does not mention that as a module.
func (l *locator) standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	if strings.Contains(first, ".") {
		return false
	}
	return !slices.ContainsFunc(l.words, func(w string) bool { return w == first || strings.HasPrefix(w, first+"/") })
}

// find returns the folders of those packages that can be found, by path. About packages outside of the
// user's module it asks the go command, once, which takes a while.
func (l *locator) find(paths []string) map[string]string {
	dirs := make(map[string]string)
	var others []string
	for _, importPath := range paths {
		if rest, ok := strings.CutPrefix(importPath+"/", l.module+"/"); ok && l.module != "" {
			dir := filepath.Join(l.root, filepath.FromSlash(rest))
			if isDir(dir) {
				dirs[importPath] = dir
				continue
			}
		}
		if l.standard(importPath) {
			if dir := filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(importPath)); isDir(dir) {
				dirs[importPath] = dir
			}
			continue
		}
		others = append(others, importPath)
	}
	if len(others) == 0 {
		return dirs
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := []string{"list", "-e", "-find", "-f={{.ImportPath}}\t{{.Dir}}", "-tags=" + strings.Join(l.tags, ","), "--"}
	cmd := exec.CommandContext(ctx, "go", append(args, others...)...)
	cmd.Dir = l.dir
	out, err := cmd.Output()
	if err != nil {
		return dirs
	}
	for line := range strings.Lines(string(out)) {
		if importPath, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && dir != "" {
			dirs[importPath] = dir
		}
	}
	return dirs
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
