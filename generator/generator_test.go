package generator_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/generator"
)

// What a room type embeds may come from another module.
func TestOtherModule(t *testing.T) {
	root := t.TempDir()
	app, mixin := filepath.Join(root, "app"), filepath.Join(root, "mixin")
	writeModule(t, app, "example.com/app", "\nrequire example.org/mixin v0.0.0\n\nreplace example.org/mixin => ../mixin\n")
	writeModule(t, mixin, "example.org/mixin", "")
	write(t, filepath.Join(mixin, "mixin.go"), []byte(`package mixin

import "context"

type Alarms struct{}

func (Alarms) OnAlarm(ctx context.Context) error { return nil }
`))
	write(t, filepath.Join(app, "server.go"), []byte(`package main

import (
	"example.org/mixin"

	party "github.com/goparty-dev/party/runtime"
)

//party:room
type Chat struct {
	party.Room
	mixin.Alarms
}
`))
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOWORK", "off")
	res := generate(t, generator.Options{Dir: app})
	if d := cmp.Diff([]string{"OnAlarm"}, res.Model.Rooms[0].Callbacks); d != "" {
		t.Errorf("callbacks (-want +got):\n%s", d)
	}
	want := []string{filepath.Join(app, "server.go"), filepath.Join(mixin, "mixin.go")}
	if d := cmp.Diff(want, res.Inputs); d != "" {
		t.Errorf("Inputs (-want +got):\n%s", d)
	}
	if _, err := res.Write(); err != nil {
		t.Fatal(err)
	}
	goCommand(t, app, "vet", "-tags=party_host", ".")
}

// Packages that cannot be found, and code that does not compile, are left to go build.
func TestBrokenCode(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), []byte(`package main

import (
	"example.invalid/nowhere"
	. "example.invalid/dots"
	party "github.com/goparty-dev/party/runtime"
)

//party:room
type Chat struct {
	party.Room
	nowhere.Thing
	Dotted
	field undefined
}

//party:room name=other
type Chat struct{ party.Room }

func (c *Chat) OnAlarm(ctx nowhere.Context) error { return 1 + "x" }

func twice() {}
func twice() {}

var x int = "text"
`))
	t.Setenv("GOPROXY", "off")
	res, err := generator.Generate(generator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, d := range res.Diagnostics {
		codes = append(codes, d.Code)
	}
	if d := cmp.Diff([]string{"wrong-signature"}, codes); d != "" {
		t.Errorf("diagnostics (-want +got):\n%s\n%v", d, res.Diagnostics)
	}
}

// A //line comment must not send the user to another file.
func TestLineComment(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "server.go")
	write(t, path, []byte("package main\n\n//line other.tmpl:100\n\n//party:roon\ntype Chat struct{}\n"))
	res, err := generator.Generate(generator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Diagnostics[0].Pos.String(), path+":5:1"; got != want {
		t.Errorf("position is %s, want %s", got, want)
	}
}

// Build tags decide what is read.
func TestTags(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), []byte(chat))
	write(t, filepath.Join(dir, "extra.go"), []byte("//go:build extra\n\n"+strings.ReplaceAll(chat, "Chat", "Game")))
	for _, tags := range [][]string{nil, {"extra"}} {
		res := generate(t, generator.Options{Dir: dir, Tags: tags})
		if got, want := len(res.Model.Rooms), 1+len(tags); got != want {
			t.Errorf("tags %q: %d rooms, want %d", tags, got, want)
		}
		if len(res.Inputs) != 2 {
			t.Errorf("tags %q: inputs are %q: a change of the constraint matters too", tags, res.Inputs)
		}
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), []byte(chat))
	if err := os.Symlink(dir, filepath.Join(dir, "folder.go")); err != nil {
		t.Fatal(err)
	}
	generate(t, generator.Options{Dir: dir}) // as go build, which takes no folder for a file
	if err := os.Symlink("loop.go", filepath.Join(dir, "loop.go")); err != nil {
		t.Fatal(err)
	}
	if _, err := generator.Generate(generator.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "loop.go") {
		t.Errorf("error is %v, want one that names the file", err)
	}
}

// Generate has no state that runs share but the contract.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), []byte(chat+`
func (c *Chat) OnMesage() {}
`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res, err := generator.Generate(generator.Options{Dir: dir})
			if err != nil || len(res.Diagnostics) != 1 {
				t.Errorf("Generate = %v, %v", res, err)
			}
		})
	}
	wg.Wait()
}

// FuzzGenerate feeds any source; whatever it is, there is a file or a reason, and never a panic.
func FuzzGenerate(f *testing.F) {
	f.Add(chat)
	f.Add(chat + "\n//party:fetch\nfunc f() {}\n//party:cron x\nfunc (c Chat) g() {}\n")
	f.Add("package main\nimport . \"github.com/goparty-dev/party/runtime\"\n//party:room\ntype (T[A any] struct{ *T[A]; Room })\n//party:room\ntype U struct{ T[int]; U }\n")
	f.Add("package p\n\n//party:room name=a\ntype A B\ntype B = *A\n//party:room\ntype C struct{ C2 }\ntype C2 struct{ C }\n")
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		_, source, _ := strings.Cut(string(data), "\npackage ")
		source, _, _ = strings.Cut(source, "\n-- ")
		f.Add("package " + source)
	}
	// Nothing may be looked up: that is slow, and the source is made up.
	f.Setenv("GOPROXY", "off")
	f.Setenv("GO111MODULE", "off")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, source string) {
		if strings.HasPrefix(source, "// Code generated by party.") {
			return
		}
		path := filepath.Join(dir, "server.go")
		write(t, path, []byte(source))
		res, err := generator.Generate(generator.Options{Dir: dir})
		if err != nil {
			t.Fatalf("Generate: %v\n%s", err, source)
		}
		if res.Diagnostics.HasErrors() == (len(res.Files) > 0) {
			t.Errorf("%d files with diagnostics %v\n%s", len(res.Files), res.Diagnostics, source)
		}
		for _, d := range res.Diagnostics {
			if d.Code == "" || d.Message == "" || d.Pos.File == "" {
				t.Errorf("incomplete diagnostic %+v\n%s", d, source)
			}
		}
		if !slices.Contains(res.Inputs, path) {
			t.Errorf("inputs are %q", res.Inputs)
		}
	})
}
