package devserver

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goparty-dev/party/devserver/internal/console"
	"github.com/goparty-dev/party/internal/buildstep"
	"github.com/goparty-dev/party/internal/manifest"
)

// buildCommand runs the manifest's build command: before the first build, when the command is another one, and
// when something has changed that it watches. A command that failed runs again with the next build.
type buildCommand struct {
	mu   sync.Mutex
	done manifest.Build // what ran well last; guarded by mu
	due  bool           // something has changed since a run began; guarded by mu
}

// changed notes that the command has to run again.
func (c *buildCommand) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = true
}

// begin reports whether the command is to run, and if so takes note that it does.
func (c *buildCommand) begin(b manifest.Build) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Command == "" || !c.due && b.Command == c.done.Command && b.Cwd == c.done.Cwd {
		return false
	}
	c.due, c.done = false, manifest.Build{}
	return true
}

func (c *buildCommand) succeeded(b manifest.Build) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = b
}

// runCommand runs the build command if it is due. It is called by one build at a time. A newer build does not
// cancel it: what it writes is mostly source, whose change begins that build.
func (s *server) runCommand(m *manifest.Manifest) *failure {
	s.watchCommand(m)
	if !s.command.begin(m.Build) {
		return nil
	}
	s.console.Line(s.console.Faint("running " + console.Safe(m.Build.Command)))
	output, list, err := buildstep.Run(s.building, m, io.Discard)
	output = strings.TrimSpace(output)
	switch {
	case err != nil:
		return nil // the dev server ends
	case list.HasErrors():
		return &failure{Diagnostics: list, Output: output}
	case output != "":
		s.console.Line(output)
	}
	s.command.succeeded(m.Build)
	s.bundles.take(m) // what it has made may be what is bundled
	return nil
}

// watchCommand watches what the build command wants to be run for.
func (s *server) watchCommand(m *manifest.Manifest) {
	var paths []string
	if m.Build.Command != "" {
		for _, path := range m.Build.Watch {
			paths = append(paths, m.Abs(path))
		}
	}
	s.mu.Lock()
	same := slices.Equal(s.watched.command, paths)
	s.watched.command = paths
	s.mu.Unlock()
	if !same {
		s.rewatch(time.Time{})
	}
}

// below reports whether a file is one of some paths, or in a folder that is.
func below(path string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		return path == place || strings.HasPrefix(path, place+string(filepath.Separator))
	})
}
