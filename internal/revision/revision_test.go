package revision

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository makes a repository with one commit of some files.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "init", "-q", "-b", "main")
	commit(t, dir, files)
	return dir
}

func commit(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "add", "-A")
	run(t, dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "x")
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// contents reads all files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		got[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestExport(t *testing.T) {
	first := map[string]string{
		"go.mod": "module x\n", "server.go": "package main // $Format:%H$\n", "empty/empty.go": "", "web/party.json": "{}",
		"a b/ü.go": "package a\n\n// no line end", "vendor/modules.txt": "# x\n",
	}
	others := map[string]string{
		"server_test.go": "package main\n", "public/index.html": "<p>", ".gitattributes": "*.go export-ignore\nserver.go export-subst\n",
	}
	dir := repository(t, first)
	commit(t, dir, others)
	if err := os.Symlink("server.go", filepath.Join(dir, "link.go")); err != nil {
		t.Fatal(err)
	}
	commit(t, dir, nil)
	run(t, dir, "tag", "v1")
	commit(t, dir, map[string]string{"server.go": "package changed\n"})
	if err := os.WriteFile(filepath.Join(dir, "server.go"), []byte("package dirty\n"), 0o644); err != nil {
		t.Fatal(err)
	}

	t.Setenv("GIT_DIR", ".git") // as in a hook
	repo, err := Find(t.Context(), filepath.Join(dir, "web"))
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	if err := repo.Export(t.Context(), "v1", into); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, contents(t, into)); d != "" {
		t.Errorf("files of v1 (-want +got):\n%s", d)
	}
	into = t.TempDir()
	if err := repo.Export(t.Context(), "HEAD", into); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, into)["server.go"]; got != "package changed\n" {
		t.Errorf("server.go of HEAD is %q", got)
	}
	if rel, err := repo.Rel(filepath.Join(dir, "web", "party.json")); err != nil || rel != filepath.Join("web", "party.json") {
		t.Errorf("Rel = %q, %v", rel, err)
	}
	if _, err := repo.Rel(t.TempDir()); err == nil {
		t.Error("a folder elsewhere is in the repository")
	}
}

func TestNoRevision(t *testing.T) {
	repo, err := Find(t.Context(), repository(t, map[string]string{"a.go": "package a\n"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range []string{"nowhere", "--all", "-n1", "HEAD:a.go", ""} {
		into := t.TempDir()
		if err := repo.Export(t.Context(), rev, into); err == nil || !strings.Contains(err.Error(), "there is no revision") {
			t.Errorf("Export(%q) = %v, want that there is no such revision", rev, err)
		}
		if got := contents(t, into); len(got) > 0 {
			t.Errorf("Export(%q) wrote %v", rev, got)
		}
	}
}

func TestNoRepository(t *testing.T) {
	if _, err := Find(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "find the git repository") {
		t.Errorf("Find = %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context(), t.TempDir()); !errors.Is(err, ErrNoGit) {
		t.Errorf("Find without git = %v, want %v", err, ErrNoGit)
	}
}
