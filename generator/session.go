package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/goparty-dev/party/internal/diag"
)

// Session generates for one program again and again, as a dev server does, and leaves out what it can: as
// long as only bodies of functions and comments have changed, the result is the one before. The zero
// value is ready to use, and it is safe for concurrent use.
type Session struct {
	mu    sync.Mutex
	last  *Result // nil: nothing can be used again
	opts  Options
	files seenFiles
	known map[string]known // files that the last result depends on
}

// known is the outline of a file with some content.
type known struct{ content, outline uint64 }

// Generate is [Generate], and reports whether the result is that of the call before. What a result says about places
// in the source may be out of date then; it has no diagnostics.
func (s *Session) Generate(o Options) (res *Result, again bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil || !slices.Equal(s.opts.Tags, o.Tags) {
		s.files, s.known = make(seenFiles), make(map[string]known)
		s.last, s.opts = nil, o
	}
	if o.Dir == "" {
		o.Dir = filepath.Dir(o.File)
	}
	if s.last != nil && s.holds(o) {
		return s.last, true, nil
	}
	s.last = nil
	if res, err = generate(o, s.files); err != nil {
		return nil, false, err
	}
	// A result with warnings shows places. One that changes the manifest is not the last word.
	if len(res.Diagnostics) == 0 && res.Manifest == nil && !res.basis.lost {
		s.last, s.opts = res, o
	}
	return res, false, nil
}

// holds reports whether the last result is what another run would come to.
func (s *Session) holds(o Options) bool {
	b := s.last.basis
	if !reflect.DeepEqual(o, s.opts) || !reflect.DeepEqual(newLocator(o), b.where) {
		return false
	}
	for _, src := range b.sources {
		if !s.same(src, o) {
			return false
		}
	}
	if m := o.Manifest; m != nil && m.Client != "" {
		if old, err := os.ReadFile(m.Client); err == nil && len(old) > 0 && !isOurs(old) {
			return false
		}
	}
	var list diag.List
	if s.last.Searched != "" {
		again := &survey{opts: o, where: b.where, list: &list, files: s.files}
		if err := again.packages(); err != nil || !slices.Equal(again.found, b.found) || !slices.Equal(again.stale, b.stale) {
			return false
		}
	}
	if s.last.Model.Package == "main" {
		text, err := outsideText(o)
		if err != nil || !reflect.DeepEqual(findEmbed(o, text, &list), s.last.Model.Embed) {
			return false
		}
	}
	return len(list) == 0
}

// same reports whether a package's files have the outlines that they had. Those that we have made are as
// good as any, as long as they are to be there.
func (s *Session) same(src *sources, o Options) bool {
	entries, err := os.ReadDir(src.dir)
	if err != nil {
		return false
	}
	count := 0
	var stale []string
	var records uint64
	for _, e := range entries {
		if e.IsDir() || !isSource(e.Name()) {
			continue
		}
		path := filepath.Join(src.dir, e.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return false
		}
		if !isOurs(data) {
			want, ok := src.outlines[e.Name()]
			if !ok || s.outline(path, data, o) != want {
				return false
			}
			count++
			continue
		}
		if e.Name() == dataFile {
			records = sum(data)
		}
		if !s.wants(path) {
			stale = append(stale, e.Name())
		}
	}
	if records != src.records && records != s.recorded(src.dir) {
		return false
	}
	was := slices.DeleteFunc(slices.Clone(src.ours), func(name string) bool { return s.wants(filepath.Join(src.dir, name)) })
	return count == len(src.outlines) && slices.Equal(stale, was)
}

// recorded sums up what the last result has in a folder's dataFile, 0 if there is none.
func (s *Session) recorded(dir string) uint64 {
	for _, f := range s.last.Files {
		if f.Path == filepath.Join(dir, dataFile) {
			return sum(f.Data)
		}
	}
	return 0
}

// wants reports whether a file is one of the last result's.
func (s *Session) wants(path string) bool {
	return slices.ContainsFunc(s.last.Files, func(f File) bool { return f.Path == path })
}

// outline returns that of a file as it is now, 0 if it has none.
func (s *Session) outline(path string, data []byte, o Options) uint64 {
	content := sum(data)
	if k, ok := s.known[path]; ok && k.content == content {
		return k.outline
	}
	k := known{content: content, outline: content}
	if inBuild(o, filepath.Dir(path), filepath.Base(path), data) {
		fset := token.NewFileSet()
		file, err := parse(fset, path, data)
		if err != nil {
			return 0
		}
		k.outline = outline(fset, file, data)
	}
	s.known[path] = k
	return k.outline
}

// basis is what a result depends on besides Options.
type basis struct {
	where   *locator
	sources []*sources // all packages that were read
	found   []place
	stale   []string
	lost    bool // a package that matters was not to be had
}

// seenFiles remembers what a search of the project has to know of Go files, for one set of build tags. Nil remembers nothing.
type seenFiles map[string]seenFile

type seenFile struct {
	size      int64
	mod       time.Time
	ours      bool
	in        bool     // the build
	annotated bool     // apart from that
	main      bool     // it is of a package main, and in the build
	imports   []string // of a file that is in
}

// settled is the age from which on a file's time tells its versions apart: file systems round.
const settled = 2 * time.Second

// look reads a file unless it is as it was.
func (f seenFiles) look(path string, info os.FileInfo, o Options) (seenFile, error) {
	if was, ok := f[path]; ok && info != nil && was.size == info.Size() && was.mod.Equal(info.ModTime()) {
		return was, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return seenFile{}, err
	}
	now := seenFile{ours: isOurs(data)}
	if !now.ours {
		now.annotated, now.in = hasAnnotation(data), inBuild(o, filepath.Dir(path), filepath.Base(path), data)
	}
	if now.in || now.ours {
		// A file that is broken imports nothing yet.
		file, err := parser.ParseFile(token.NewFileSet(), path, data, parser.ImportsOnly|parser.SkipObjectResolution)
		if err == nil {
			now.main = file.Name.Name == "main"
			if now.in {
				now.imports = importsOf(file)
			}
		}
	}
	if f != nil && info != nil && time.Since(info.ModTime()) > settled {
		now.size, now.mod = info.Size(), info.ModTime()
		f[path] = now
	}
	return now, nil
}

// importsOf returns the paths that a file imports.
func importsOf(file *ast.File) []string {
	var paths []string
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}
