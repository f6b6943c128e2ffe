package bundle_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/bundle"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// project is a folder with a manifest.
type project struct {
	t   *testing.T
	dir string
	*bundle.Bundler
}

// newProject writes files, given as names and contents, beside a manifest with this serve.build.
func newProject(t *testing.T, build string, files ...string) *project {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir}
	p.write("party.json", `{"serve": {"path": "public", "build": `+build+`}}`)
	for n := 0; n < len(files); n += 2 {
		p.write(files[n], files[n+1])
	}
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// open makes the bundler, which must work.
func (p *project) open(o bundle.Options) *project {
	p.t.Helper()
	if list := p.try(o); len(list) > 0 {
		p.t.Fatalf("New: %v", list)
	}
	p.t.Cleanup(p.Close)
	return p
}

func (p *project) try(o bundle.Options) diag.List {
	p.t.Helper()
	m, list := manifest.Load(filepath.Join(p.dir, "party.json"))
	if len(list) > 0 {
		p.t.Fatal(list)
	}
	o.Manifest = m
	p.Bundler, list = bundle.New(o)
	return list
}

func (p *project) build() (bundle.Result, diag.List) {
	p.t.Helper()
	res, list, err := p.Build(p.t.Context())
	if err != nil {
		p.t.Fatalf("Build: %v", err)
	}
	return res, list
}

// made builds without problems and returns the outputs that have changed and are gone.
func (p *project) made() (written, removed []string) {
	p.t.Helper()
	res, list := p.build()
	if len(list) > 0 {
		p.t.Fatalf("Build: %v", list)
	}
	return p.short(res.Written), p.short(res.Removed)
}

// short makes names relative and sorts them.
func (p *project) short(paths []string) []string {
	p.t.Helper()
	var out []string
	for _, path := range paths {
		rel, err := filepath.Rel(p.dir, path)
		if err != nil {
			p.t.Fatal(err)
		}
		out = append(out, filepath.ToSlash(rel))
	}
	slices.Sort(out)
	return out
}

func (p *project) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, filepath.FromSlash(name)))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestBuild(t *testing.T) {
	p := newProject(t, `"client/main.ts"`,
		"client/main.ts", `import { greet } from "./greet"; const who: string = PARTYKIT_HOST; console.log(greet(who), PARTY_HOST, process.env.NODE_ENV);`,
		"client/greet.ts", `export const greet = (who: string) => "hello " + who;`,
	).open(bundle.Options{Host: "localhost:1999"})
	res, list := p.build()
	if len(list) > 0 {
		t.Fatal(list)
	}
	want(t, "inputs", p.short(res.Inputs), "client/greet.ts", "client/main.ts")
	want(t, "written", p.short(res.Written), "public/dist/main.js", "public/dist/main.js.map")
	js := p.read("public/dist/main.js")
	for _, part := range []string{`"hello "`, `"localhost:1999"`, `"development"`, "sourceMappingURL=main.js.map"} {
		if !strings.Contains(js, part) {
			t.Errorf("the bundle does not contain %s:\n%s", part, js)
		}
	}
	// Nothing has changed: nothing is written.
	written, removed := p.made()
	want(t, "written again", written)
	want(t, "removed", removed)
	p.write("client/greet.ts", `export const greet = (who: string) => "bye " + who;`)
	written, _ = p.made()
	want(t, "written after a change", written, "public/dist/main.js", "public/dist/main.js.map")
}

// Without a host the code uses that of its page, and in programs it is minified.
func TestBuildForAProgram(t *testing.T) {
	p := newProject(t, `"main.js"`, "main.js", "const longName = PARTYKIT_HOST;\nconsole.log(longName, longName)").open(bundle.Options{Minify: true})
	p.made()
	js := p.read("public/dist/main.js")
	if !strings.Contains(js, "location.host") || strings.Contains(js, "longName") {
		t.Errorf("the bundle:\n%s", js)
	}
}

func TestOptions(t *testing.T) {
	p := newProject(t, `{
		"entry": ["a.js"], "outdir": "public/js", "minify": true, "format": "iife", "sourcemap": false, "splitting": true,
		"define": {"DEBUG": "false", "PARTY_HOST": "\"mine\""}, "external": ["outside"], "loader": {".svg": "text"}, "alias": {"old": "./new.js"}}`,
		"a.js", `import "old"; import svg from "./x.svg"; import * as o from "outside"; if (DEBUG) debugOnly(); console.log(svg, PARTY_HOST, o)`,
		"new.js", `console.log("the new one")`, "x.svg", "<svg/>",
	).open(bundle.Options{})
	written, _ := p.made()
	want(t, "written", written, "public/js/a.js")
	js := p.read("public/js/a.js")
	for _, part := range []string{"the new one", "<svg/>", `"mine"`, `"outside"`, "(()=>{"} {
		if !strings.Contains(js, part) {
			t.Errorf("the bundle does not contain %s:\n%s", part, js)
		}
	}
	if strings.Contains(js, "debugOnly") {
		t.Errorf("DEBUG is not defined:\n%s", js)
	}
}

// Code that entries share is split off under a name with its hash; the piece with the old hash goes away, and what is
// not ours stays.
func TestSplitting(t *testing.T) {
	p := newProject(t, `{"entry": ["a.js", "b.js"], "sourcemap": false}`,
		"a.js", `import "./shared.js"; console.log("a")`, "b.js", `import "./shared.js"; console.log("b")`, "shared.js", `console.log("one")`,
		"public/dist/own.txt", "mine",
	).open(bundle.Options{})
	first, _ := p.made()
	if len(first) != 3 || !strings.HasPrefix(first[2], "public/dist/chunk-") {
		t.Fatalf("written %q, want a, b and a chunk", first)
	}
	p.write("shared.js", `console.log("two")`)
	// As another run of the tool would.
	p.Close()
	p.open(bundle.Options{})
	second, removed := p.made()
	want(t, "removed", removed, first[2])
	if len(second) != 3 || second[2] == first[2] {
		t.Errorf("written %q after %q", second, first)
	}
	if p.read("public/dist/own.txt") != "mine" {
		t.Error("a file that is not ours has changed")
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	p := newProject(t, `"client/main.ts"`,
		"client/main.ts", "import { x } from \"./missing\";\n\nconsole.log(x);\n").open(bundle.Options{})
	res, list := p.build()
	if len(list) != 1 || list[0].Pos != (diag.Position{File: filepath.Join(p.dir, "client", "main.ts"), Line: 1, Column: 19}) || list[0].Severity != diag.Error {
		t.Errorf("got %v", list)
	}
	want(t, "inputs", p.short(res.Inputs), "client/main.ts")
	if _, err := os.Stat(filepath.Join(p.dir, "public")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a build that fails has written something: %v", err)
	}
	p.write("client/main.ts", "let a = 1;\nlet a = 2;\n")
	_, list = p.build()
	if len(list) != 1 || list[0].Pos.Line != 2 || list[0].Pos.Column != 5 || list[0].Code != "bundle" || len(list[0].Related) != 1 || list[0].Related[0].Pos.Line != 1 {
		t.Errorf("got %+v", list)
	}
	p.write("client/main.ts", "console.log(1)\n")
	p.made()
}

func TestMistakesInTheManifest(t *testing.T) {
	for _, c := range []struct{ build, want string }{
		{`"none.js"`, `party.json:1:39: error: "none.js" does not exist [no-entry]`},
		{`{"entry": ["a.js", "none.js"]}`, `party.json:1:58: error: "none.js" does not exist [no-entry]`},
		{`{"entry": "a.js", "loader": {".svg": "txt"}}`, `party.json:1:76: error: there is no loader "txt" [bad-loader]`},
		{`{"entry": "a.js", "outdir": "out"}`, `party.json:1:67: warning: the bundles are not written into the folder of the assets, and so they are not served [outdir-outside]`},
		{`{"entry": "a.js", "define": {"X": "1 +"}}`, `party.json:1:39: error: invalid define value (must be an entity name or JS literal): 1 + [bundle]`},
		{`{"entry": "a.js", "bundle": false, "external": ["x"]}`, `party.json:1:39: error: cannot use "external" without "bundle" [bundle]`},
	} {
		p := newProject(t, c.build, "a.js", "console.log(1)")
		list := p.try(bundle.Options{})
		for n := range list {
			list[n].Pos.File = filepath.Base(list[n].Pos.File)
		}
		if got := list.Error(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.build, got, c.want)
		}
		if p.Bundler != nil {
			p.Close()
		}
	}
}

// A bundle never replaces what it is made from.
func TestOutputOverInput(t *testing.T) {
	p := newProject(t, `{"entry": "public/a.js", "outdir": "public", "sourcemap": false}`, "public/a.js", "console.log( 1 )").open(bundle.Options{})
	_, list := p.build()
	if !list.HasErrors() || p.read("public/a.js") != "console.log( 1 )" {
		t.Errorf("got %v, and the input is %q", list, p.read("public/a.js"))
	}
}

func TestCancelledBuild(t *testing.T) {
	p := newProject(t, `"a.js"`, "a.js", "console.log(1)").open(bundle.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.Build(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	p.made()
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	p := newProject(t, `"a.js"`, "a.js", "console.log(1)", "public", "a file").open(bundle.Options{})
	if _, _, err := p.Build(t.Context()); err == nil || !strings.Contains(err.Error(), "folder of the bundles") {
		t.Errorf("got %v", err)
	}
}
