// Package buildstep is what a manifest asks of every build: a command that runs before it, and strings that
// the linker fixes. party build and party dev do both alike.
package buildstep

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/child"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// tailBytes is how much of what a failing command has printed is kept, from the end.
const tailBytes = 64 << 10

// Run runs the manifest's build command, if there is one. What it prints goes to out. When it
// fails, the list says so, and its output, or the end of it, is returned as well. If ctx ends, so does the
// command, with all that it has started; the error is then ctx's.
func Run(ctx context.Context, m *manifest.Manifest, out io.Writer) (output string, list diag.List, err error) {
	if m.Build.Command == "" {
		return "", nil, nil
	}
	shell, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/c"
	}
	cmd := exec.CommandContext(ctx, shell, flag, m.Build.Command)
	cmd.Dir = m.Abs(m.Build.Cwd)
	cmd.WaitDelay = time.Second
	child.Group(cmd)
	var kept tail
	both := io.MultiWriter(out, &kept)
	cmd.Stdout, cmd.Stderr = both, both // one value: exec then never writes from two goroutines
	failed := cmd.Run()
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	if failed != nil {
		d := list.Errorf(m.Pos("build", "command"), "build-command", "the build command failed: %v", failed)
		d.Hint = "it runs in " + cmd.Dir
	}
	return kept.String(), list, nil
}

// tail keeps the end of what is written to it.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.Buffer.Write(p)
	if over := t.Len() - tailBytes; over > 0 {
		t.Next(over)
	}
	return len(p), nil
}

// Definitions are the strings that the linker fixes, each as name=value, in order of the names.
// The list says which of them the go command cannot be given.
func Definitions(m *manifest.Manifest) ([]string, diag.List) {
	var words []string
	var list diag.List
	for _, name := range slices.Sorted(maps.Keys(m.Define)) {
		word := name + "=" + m.Define[name]
		if strings.Contains(word, `'`) && strings.Contains(word, `"`) {
			list.Errorf(m.Pos("define", name), "bad-define", "%q has quotes of both kinds, which the linker cannot be given", name)
			continue
		}
		words = append(words, word)
	}
	return words, list
}

// LinkFlags is the value of the go command's -ldflags: without what only debuggers need, and with definitions.
func LinkFlags(definitions []string) string {
	flags := "-s -w"
	for _, word := range definitions {
		// The go command splits at spaces and takes quotes of either kind, but knows no escapes.
		quote := `'`
		if strings.Contains(word, quote) {
			quote = `"`
		}
		flags += " -X " + quote + word + quote
	}
	return flags
}
