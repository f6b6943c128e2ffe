package devserver

import (
	"context"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goparty-dev/party/devserver/internal/watch"
	"github.com/goparty-dev/party/internal/bundle"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// bundling keeps the browser bundles of the manifest up to date. It has nothing to do with builds of
// the program, and so it has a goroutine and a watcher of its own. That pages are loaded
// again follows from the bundles being assets.
type bundling struct {
	// set when made, then read-only
	host string // of PARTYKIT_HOST
	tell func(bundled)
	next chan *manifest.Manifest // what is to be bundled from now on; of several the last one counts

	// owned by run
	manifest *manifest.Manifest
	bundler  *bundle.Bundler // nil if there is nothing to bundle, or the options are wrong
	warnings diag.List       // of the options
	watcher  *watch.Watcher
}

// newBundling makes a bundling of nothing.
func newBundling(address string, tell func(bundled)) *bundling {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host
	}
	return &bundling{host: host, tell: tell, next: make(chan *manifest.Manifest, 1)}
}

// take changes what is bundled. It does not wait.
func (b *bundling) take(m *manifest.Manifest) {
	for {
		select {
		case b.next <- m:
			return
		case <-b.next:
		}
	}
}

// run bundles whenever something has changed, until ctx ends.
func (b *bundling) run(ctx context.Context) {
	b.watcher = watch.New(watch.Options{})
	defer func() {
		_ = b.watcher.Close() // it was only read from
		b.drop()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-b.next:
			if !b.prepare(m) {
				continue
			}
		case <-b.watcher.Changes():
			if b.bundler == nil && b.manifest != nil {
				b.open() // perhaps the entry that was missing is there
			}
		}
		b.build(ctx)
	}
}

// prepare takes another manifest, and reports whether there is something new to build.
func (b *bundling) prepare(m *manifest.Manifest) bool {
	if b.manifest != nil && reflect.DeepEqual(b.manifest.Serve, m.Serve) && b.manifest.Path == m.Path {
		return false
	}
	had := b.manifest != nil && b.manifest.Serve.Build != nil
	b.drop()
	b.manifest = m
	if m.Serve.Build == nil {
		b.watcher.Watch(watch.Set{}, time.Time{})
		if had {
			b.tell(bundled{}) // what was wrong is no longer so
		}
		return false
	}
	b.open()
	return true
}

func (b *bundling) drop() {
	if b.bundler != nil {
		b.bundler.Close()
		b.bundler = nil
	}
}

// open makes a bundler for the manifest, or says why not.
func (b *bundling) open() {
	b.bundler, b.warnings = bundle.New(bundle.Options{Manifest: b.manifest, Host: b.host})
	if b.bundler == nil {
		b.watch(nil, nil, time.Time{})
		b.tell(bundled{Failure: &failure{Diagnostics: b.warnings.Sorted()}})
	}
}

func (b *bundling) build(ctx context.Context) {
	if b.bundler == nil {
		return
	}
	begun := time.Now()
	res, list, err := b.bundler.Build(ctx)
	if ctx.Err() != nil {
		return
	}
	b.watch(res.Inputs, list, begun)
	list = append(slices.Clone(b.warnings), list...).Sorted()
	switch {
	case err != nil:
		b.tell(bundled{Failure: &failure{Diagnostics: list, Output: err.Error()}})
	case list.HasErrors():
		b.tell(bundled{Failure: &failure{Diagnostics: list}})
	default:
		b.tell(bundled{Warnings: list})
	}
}

// watch watches what was bundled, and where what was missing may appear.
func (b *bundling) watch(inputs []string, list diag.List, since time.Time) {
	set := watch.Set{Files: []string{b.manifest.Abs("package.json"), b.manifest.Abs("tsconfig.json")}}
	for _, e := range b.manifest.Serve.Build.Entry {
		inputs = append(inputs, b.manifest.Abs(e))
	}
	for _, d := range list {
		if d.Pos.File != b.manifest.Path {
			inputs = append(inputs, d.Pos.File)
		}
	}
	for _, file := range inputs {
		dir := filepath.Dir(file)
		if file != "" && !slices.Contains(set.Dirs, dir) && !strings.Contains(file, string(filepath.Separator)+"node_modules"+string(filepath.Separator)) {
			set.Dirs = append(set.Dirs, dir)
		}
	}
	b.watcher.Watch(set, since)
}
