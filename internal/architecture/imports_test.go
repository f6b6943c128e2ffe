package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/goparty-dev/party"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Doc,Imports,Deps"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// A rule forbids packages to depend on others, directly or not. A path that
// ends in /... stands for everything below it too.
type rule struct {
	why       string
	packages  []string
	tags      string
	forbidden []string
}

var rules = []rule{
	{
		why:      "every reload links the runtime: it knows no sockets, no files and no tools",
		packages: []string{"runtime", "internal/link/..."},
		forbidden: []string{
			module + "/internal/platform", module + "/internal/manifest", module + "/internal/diag", module + "/generator", module + "/devserver/...",
			module + "/runtime/storage/sqlite", module + "/runtime/storage/memory",
			"github.com/gorilla/websocket", "zombiezen.com/go/sqlite", "modernc.org/...", "github.com/spf13/cobra", "golang.org/x/tools/...",
		},
	},
	{
		why:       "a host is rooms and little else",
		packages:  []string{"runtime/server"},
		tags:      "party_host",
		forbidden: []string{module + "/internal/platform", module + "/internal/manifest", module + "/internal/hostproc", "github.com/gorilla/websocket", "zombiezen.com/go/sqlite", "modernc.org/..."},
	},
	{
		why:       "what a deployed binary links has no tools in it",
		packages:  []string{"runtime/server"},
		forbidden: []string{module + "/generator", module + "/devserver/...", "github.com/spf13/cobra", "golang.org/x/tools/...", "github.com/fsnotify/fsnotify", "github.com/charmbracelet/..."},
	},
	{
		why:       "bundles are made by the tools; where they are served they are files",
		packages:  []string{"runtime/...", "internal/platform", "internal/assets", "internal/link/...", "templates/..."},
		forbidden: []string{module + "/internal/bundle", "github.com/evanw/..."},
	},
	{
		why:       "the daemon links no user code and opens no store: what it has to know of a program the program says",
		packages:  []string{"internal/hosting", "internal/hosting/access", "internal/hosting/journal", "internal/hosting/vault", "internal/hosting/unit"},
		forbidden: []string{module + "/runtime", module + "/runtime/server", module + "/runtime/storage/sqlite", module + "/generator", module + "/devserver/...", "github.com/spf13/cobra"},
	},
	{
		why:       "the contract of hosts and their clients is plain data",
		packages:  []string{"internal/hosting/api"},
		forbidden: []string{module + "/internal/platform", module + "/internal/supervise", module + "/runtime", "github.com/gorilla/websocket", "golang.org/x/crypto/..."},
	},
	{
		why:       "what is deployed knows nothing of who hosts it",
		packages:  []string{"runtime/...", "internal/platform", "internal/supervise", "internal/release", "internal/operate"},
		forbidden: []string{module + "/internal/hosting/...", "golang.org/x/crypto/acme/..."},
	},
	{
		why:       "images and deployment files are made by the tools",
		packages:  []string{"runtime/...", "internal/platform", "internal/supervise", "internal/release"},
		forbidden: []string{module + "/internal/image", module + "/internal/deployfiles", module + "/internal/sbom", "github.com/google/go-containerregistry/...", "github.com/CycloneDX/..."},
	},
	{
		why:       "programs do not know who hosts them",
		packages:  []string{"runtime/...", "internal/platform", "internal/supervise", "internal/release"},
		forbidden: []string{module + "/internal/hosting/..."},
	},
	{
		why:       "what asks a host and what answers share plain data only",
		packages:  []string{"internal/hosting/api", "internal/hosting/client", "internal/hosting/credentials"},
		forbidden: []string{module + "/internal/hosting", module + "/runtime/...", module + "/internal/platform", "github.com/spf13/cobra"},
	},
	{
		why:       "what keeps hosts and versions knows no user code",
		packages:  []string{"internal/supervise", "internal/release", "internal/hostproc"},
		forbidden: []string{module + "/runtime", module + "/runtime/server"},
	},
	{
		why:       "a library for buckets would be in every deployed binary: whoever hosts apps has it",
		packages:  []string{"runtime/...", "internal/platform", "internal/supervise", "internal/release"},
		forbidden: []string{module + "/internal/snapshots", "github.com/minio/..."},
	},
	{
		why:       "the file of a room is a format, and knows no store",
		packages:  []string{"internal/roomfile"},
		forbidden: []string{module + "/runtime", module + "/internal/platform", module + "/runtime/storage/sqlite"},
	},
	{
		why:       "a host process is started, watched and ended the same way by the dev server and in production; the policies are theirs",
		packages:  []string{"internal/hostproc"},
		forbidden: []string{module + "/internal/platform", module + "/internal/supervise", module + "/internal/release", module + "/devserver/..."},
	},
	{
		why:       "the platform knows no user code",
		packages:  []string{"internal/platform"},
		forbidden: []string{module + "/runtime", module + "/runtime/server", module + "/generator", module + "/devserver/..."},
	},
	{
		why:       "a store knows rooms by name only",
		packages:  []string{"runtime/storage/..."},
		forbidden: []string{module + "/runtime", module + "/internal/platform", module + "/internal/link"},
	},
	{
		why:       "the generator returns files, and knows only source",
		packages:  []string{"generator"},
		forbidden: []string{module + "/runtime", module + "/devserver/...", "github.com/spf13/cobra"},
	},
	{
		why:       "a protocol is plain data, and revisions are files",
		packages:  []string{"internal/protocol", "internal/revision"},
		forbidden: []string{module + "/generator", module + "/runtime", module + "/devserver/...", "golang.org/x/tools/..."},
	},
	{
		why:       "the dev server is given the generator as a function",
		packages:  []string{"devserver/..."},
		forbidden: []string{module + "/generator", "github.com/spf13/cobra"},
	},
}

func TestImports(t *testing.T) {
	for _, r := range rules {
		var args []string
		if r.tags != "" {
			args = append(args, "-tags", r.tags)
		}
		for _, p := range r.packages {
			args = append(args, "./"+p)
		}
		for _, p := range list(t, args...) {
			for _, dep := range p.Deps {
				if slices.ContainsFunc(r.forbidden, func(f string) bool { return covers(f, dep) }) {
					t.Errorf("%s depends on %s, but %s", p.ImportPath, dep, r.why)
				}
			}
		}
	}
}

func covers(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", false},
		{"a/b/...", "a/b/c", true},
		{"a/b/...", "a/b", true},
		{"a/b/...", "a/bc", false},
	} {
		if got := covers(c.pattern, c.path); got != c.want {
			t.Errorf("covers(%q, %q) = %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	for _, p := range list(t, "./...") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
