// Package revision takes the Go source of a project as it was at a revision of its git repository.
//
// It only reads the repository: no work tree is added to it, nothing is checked out. It is not for
// files that are neither source nor needed to find packages.
package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNoGit says that there is no git command.
var ErrNoGit = errors.New("the git command is not on the PATH; party needs it to look at revisions")

// Repository is a git repository on this machine.
type Repository struct {
	top string // folder of its work tree, absolute, without symbolic links
}

// Find returns the repository that a folder is in.
func Find(ctx context.Context, dir string) (*Repository, error) {
	out, err := git(ctx, dir, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("find the git repository of %s: %w", dir, err)
	}
	top, err := filepath.EvalSymlinks(filepath.FromSlash(strings.TrimSuffix(string(out), "\n")))
	if err != nil {
		return nil, fmt.Errorf("find the git repository of %s: %w", dir, err)
	}
	return &Repository{top: top}, nil
}

// Rel returns a path in the repository relative to its work tree.
func (r *Repository) Rel(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(r.top, real)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s is not in the repository %s", name, r.top)
	}
	return rel, nil
}

// Export writes the source files of a revision into a folder, as they lie in the work tree. rev is
// anything that git takes for a commit.
func (r *Repository) Export(ctx context.Context, rev, into string) error {
	commit, err := git(ctx, r.top, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return fmt.Errorf("there is no revision %q: %w", rev, err)
	}
	id := strings.TrimSpace(string(commit))
	list, err := git(ctx, r.top, nil, "ls-tree", "-r", "-z", "--full-tree", id)
	if err != nil {
		return fmt.Errorf("list the files of %s: %w", rev, err)
	}
	var names []string
	var wanted bytes.Buffer
	for entry := range strings.SplitSeq(string(list), "\x00") {
		// mode, type, object, tab, name
		about, name, _ := strings.Cut(entry, "\t")
		words := strings.Fields(about)
		if len(words) == 3 && strings.HasPrefix(words[0], "100") && isSource(name) && filepath.IsLocal(filepath.FromSlash(name)) {
			names = append(names, name)
			fmt.Fprintln(&wanted, words[2])
		}
	}
	// Not git archive: attributes such as export-ignore would leave files out.
	contents, err := git(ctx, r.top, &wanted, "cat-file", "--batch")
	if err != nil {
		return fmt.Errorf("read the files of %s: %w", rev, err)
	}
	if err := unpack(contents, names, into); err != nil {
		return fmt.Errorf("read the files of %s: %w", rev, err)
	}
	return nil
}

// isSource reports whether a file can have to do with what a program means.
func isSource(name string) bool {
	switch path.Base(name) {
	case "go.mod", "go.sum", "go.work", "party.json", "modules.txt":
		return true
	}
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}

// unpack writes files from what git cat-file says: for each a line with its size, its content, and a line end.
func unpack(contents []byte, names []string, into string) error {
	for _, name := range names {
		line, rest, _ := bytes.Cut(contents, []byte("\n"))
		words := strings.Fields(string(line))
		if len(words) != 3 {
			return fmt.Errorf("%s: unexpected answer %q", name, line)
		}
		size, err := strconv.Atoi(words[2])
		if err != nil || size < 0 || size >= len(rest) {
			return fmt.Errorf("%s: unexpected answer %q", name, line)
		}
		to := filepath.Join(into, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, rest[:size], 0o644); err != nil {
			return err
		}
		contents = rest[size+1:]
	}
	return nil
}

// git runs a git command and returns its output, or its complaint.
func git(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var out, complaint bytes.Buffer
	cmd.Stdin = stdin
	// A hook's own settings are of the repository that it runs for, seen from its folder.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GIT_DIR=") || strings.HasPrefix(v, "GIT_WORK_TREE=") || strings.HasPrefix(v, "GIT_INDEX_FILE=")
	})
	cmd.Stdout, cmd.Stderr = &out, &complaint
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return nil, ErrNoGit
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		if text := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "fatal: "); text != "" {
			return nil, errors.New(text)
		}
		return nil, err
	}
	return out.Bytes(), nil
}
