package devserver

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goparty-dev/party/devserver/internal/hostbuild"
	"github.com/goparty-dev/party/devserver/internal/watch"
)

// watchedFiles is what a change of means something.
type watchedFiles struct {
	dirs   []string // of packages
	files  []string // manifest, variables, go.mod
	inputs []string // of the generator
	search string   // folder that the generator has searched for annotations, or ""
	assets string   // folder, or ""
	// command are files and folders for whose changes the build command runs again.
	command []string
}

func (w *watchedFiles) set() watch.Set {
	set := watch.Set{Dirs: w.dirs, Match: hostbuild.IsSource, Files: append(slices.Clone(w.files), w.inputs...), Search: w.search}
	if w.assets != "" {
		set.Trees = []string{w.assets}
	}
	// Which of them are folders shows only when they are there.
	set.Files = append(set.Files, w.command...)
	set.Trees = append(set.Trees, w.command...)
	return set
}

// meaning sorts changed files: one can be both.
func (w *watchedFiles) meaning(c watch.Change) changed {
	ev := changed{At: c.At}
	for _, path := range c.Paths {
		if slices.Contains(w.files, path) || slices.Contains(w.inputs, path) ||
			slices.Contains(w.dirs, filepath.Dir(path)) && hostbuild.IsSource(filepath.Base(path)) || w.announces(path) {
			ev.Source = true
		}
		if below(path, w.command) {
			ev.Source, ev.Command = true, true
		}
		if w.assets != "" && strings.HasPrefix(path, w.assets+string(filepath.Separator)) {
			ev.Assets = true
		}
	}
	return ev
}

// announces reports whether a file of a package that was not built has an annotation: the
// generator is to look whether there are rooms now.
func (w *watchedFiles) announces(path string) bool {
	if w.search == "" || filepath.Ext(path) != ".go" || !strings.HasPrefix(path, w.search+string(filepath.Separator)) {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && bytes.Contains(data, []byte("\n//party:"))
}

// beginWatching watches what is known before anything has been built.
func (s *server) beginWatching() {
	files := s.opts.ownFiles()
	for dir := s.opts.Dir; ; dir = filepath.Dir(dir) {
		files = append(files, filepath.Join(dir, "go.mod"))
		if dir == filepath.Dir(dir) || dir == s.opts.project() {
			break
		}
	}
	s.mu.Lock()
	s.watched = watchedFiles{dirs: []string{s.opts.Dir}, files: files, assets: s.config.assetsDir()}
	s.mu.Unlock()
	s.rewatch(time.Time{})
}

// ownFiles are the project's files besides packages and assets.
func (o *Options) ownFiles() []string {
	files := o.envFiles()
	if o.Manifest != "" {
		files = append(files, o.Manifest)
	}
	return files
}

// watchPackages takes over what a scan has found. What has changed since the build
// that was scanned for began is a change.
func (s *server) watchPackages(found hostbuild.Packages, since time.Time) {
	s.mu.Lock()
	s.watched.dirs = slices.Clone(found.Dirs)
	if !slices.Contains(s.watched.dirs, s.opts.Dir) {
		s.watched.dirs = append(s.watched.dirs, s.opts.Dir)
	}
	s.watched.files = append(s.opts.ownFiles(), found.Files...)
	s.mu.Unlock()
	s.rewatch(since)
}

// watchInputs takes over what the generator has read.
func (s *server) watchInputs(inputs []string, search string) {
	s.mu.Lock()
	same := slices.Equal(s.watched.inputs, inputs) && s.watched.search == search
	s.watched.inputs, s.watched.search = slices.Clone(inputs), search
	s.mu.Unlock()
	if !same {
		s.rewatch(time.Time{})
	}
}

func (s *server) watchAssets(dir string) {
	s.mu.Lock()
	s.watched.assets = dir
	s.mu.Unlock()
	s.rewatch(time.Time{})
}

func (s *server) rewatch(since time.Time) {
	s.mu.Lock()
	set := s.watched.set()
	s.mu.Unlock()
	s.watcher.Watch(set, since)
}

// passChanges tells the loop what the watcher sees, until ctx ends.
func (s *server) passChanges(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.watcher.Changes():
			c.Paths = slices.DeleteFunc(c.Paths, func(path string) bool { return path == s.opts.Manifest && !s.manifest.news(path) })
			s.mu.Lock()
			ev := s.watched.meaning(c)
			s.mu.Unlock()
			if ev.Command {
				s.command.changed()
			}
			if ev.Source || ev.Assets {
				s.send(ev)
			}
		}
	}
}
