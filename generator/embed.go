package generator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/diag"
)

// Embed is what goes into the binary. Both paths are relative to the package's folder.
type Embed struct {
	Manifest string // file; empty: none
	// Text is the content of a manifest that is not in the package's folder, where go:embed does not reach it.
	Text   string
	Assets string // folder, slash-separated; empty: none
	// Underscores says that there are assets whose names begin with an
	// underscore, which go:embed leaves out unless it is told otherwise.
	Underscores bool
}

// outsideText returns the text of a manifest that go:embed cannot reach; of any other it is not needed.
func outsideText(o Options) (string, error) {
	if o.Manifest == nil || o.Manifest.Path == "" || sameDir(filepath.Dir(o.Manifest.Path), o.Dir) {
		return "", nil
	}
	data, err := os.ReadFile(o.Manifest.Path)
	if err != nil {
		return "", fmt.Errorf("read the manifest: %w", err)
	}
	return string(data), nil
}

// findEmbed decides what can be embedded, and warns about what cannot. It
// returns nil when there is nothing. text is that of outsideText.
func findEmbed(o Options, text string, list *diag.List) *Embed {
	if o.Manifest == nil {
		return nil
	}
	e := new(Embed)
	if o.Manifest.Path != "" {
		if sameDir(filepath.Dir(o.Manifest.Path), o.Dir) {
			e.Manifest = filepath.Base(o.Manifest.Path)
		} else {
			e.Text = text
		}
	}
	e.addAssets(o, list)
	if *e == (Embed{}) {
		return nil
	}
	return e
}

func sameDir(a, b string) bool {
	x, err1 := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return err1 == nil && err2 == nil && x == y
}

func (e *Embed) addAssets(o Options, list *diag.List) {
	if o.Manifest.Assets == "" {
		return
	}
	dir, pos := path.Clean(o.Manifest.Assets), o.Manifest.AssetsPos
	if dir == "." || !filepath.IsLocal(filepath.FromSlash(dir)) {
		d := list.Warnf(pos, "assets-outside", "the assets are not in a folder below the package's, and so they do not go into the binary")
		d.Hint = "move them into a folder beside the Go files"
		return
	}
	if slices.ContainsFunc(strings.Split(dir, "/"), func(name string) bool { return !portable(name) }) {
		d := list.Warnf(pos, "asset-left-out", "the assets do not go into the binary: go:embed does not take a folder of that name")
		d.Hint = "use letters, digits, hyphens and underscores"
		return
	}
	found := assetWalk{root: o.Dir, dir: filepath.Join(o.Dir, filepath.FromSlash(dir))}
	if found.err = found.walk(); found.err != nil || found.taken == 0 {
		d := list.Warnf(pos, "no-assets", "the assets do not go into the binary: %s", found.reason())
		d.Hint = "generate again when there are files in " + dir
		return
	}
	for _, name := range found.refused {
		d := list.Errorf(diag.Position{File: name}, "asset-name", "an asset of this name cannot go into the binary")
		d.Hint = "rename it: go:embed takes letters, digits, spaces and !#$%&()+,-.=@[]^_{}~, and no name that Windows reserves"
	}
	for _, name := range found.left {
		d := list.Warnf(diag.Position{File: name}, "asset-left-out", "this does not go into the binary")
		d.Hint = "go:embed takes regular files, in folders with portable names that are no other module"
	}
	e.Assets, e.Underscores = dir, found.underscores
}

// assetWalk goes through the assets as go:embed does.
type assetWalk struct {
	root, dir   string // of the package and of the assets
	taken       int
	underscores bool
	left        []string // what go:embed skips, although it is served in development
	refused     []string // what makes it fail
	err         error
}

func (w *assetWalk) reason() string {
	switch {
	case errors.Is(w.err, fs.ErrNotExist):
		return "there is no such folder"
	case w.err != nil:
		return w.err.Error()
	}
	return "there are no files"
}

func (w *assetWalk) walk() error {
	for dir := w.dir; dir != filepath.Clean(w.root); dir = filepath.Dir(dir) {
		info, err := os.Lstat(dir)
		switch {
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is not a folder", filepath.Base(dir))
		case isModule(dir):
			return fmt.Errorf("%s is another module", filepath.Base(dir))
		}
	}
	return filepath.WalkDir(w.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == w.dir {
			return err
		}
		// Never served either.
		if hidden := strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules"; hidden {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		switch {
		case e.IsDir() && (!portable(e.Name()) || isModule(name)):
			w.left = append(w.left, name)
			return fs.SkipDir
		case e.IsDir():
		case !e.Type().IsRegular():
			w.left = append(w.left, name)
		case !portable(e.Name()):
			w.refused = append(w.refused, name)
		default:
			w.taken++
			rel, err := filepath.Rel(w.dir, name)
			if err != nil {
				return err
			}
			parts := strings.Split(rel, string(filepath.Separator))
			w.underscores = w.underscores || slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "_") })
		}
		return nil
	})
}

func isModule(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// windowsNames are taken on Windows, with any extension.
var windowsNames = []string{
	"con", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "nul", "prn", "aux",
	"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
}

// portable reports whether go:embed takes a file of that name: modules are unpacked everywhere.
func portable(name string) bool {
	short, _, _ := strings.Cut(name, ".")
	if strings.HasSuffix(name, ".") || slices.Contains(windowsNames, strings.ToLower(short)) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		if r >= utf8.RuneSelf {
			return !unicode.IsLetter(r)
		}
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&()+,-.=@[]^_{}~ ", r)
	})
}

// pattern returns the go:embed pattern for a path, quoted if it needs to be.
func pattern(p string, underscores bool) string {
	var b strings.Builder
	if underscores {
		b.WriteString("all:")
	}
	for _, r := range p {
		if strings.ContainsRune(`*?[\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	s := b.String()
	if strings.ContainsAny(s, " \t\"`\\") {
		return "`" + s + "`"
	}
	return s
}
