package generator_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

var update = flag.Bool("update", false, "rewrite what testdata/*.txtar expects")

// A case is a txtar archive. Files below want/ are what is expected: generated files,
// "diagnostics" as they are rendered, and "stale". Lines of the form "key: value" in its
// comment are options: dir, file, tag; "record: parties" has new ones recorded in party.json.
type testCase struct {
	name    string
	archive *txtar.Archive
	dir     string // where its files are
	opts    generator.Options
}

// corpus unpacks all cases into one module, so that they can be compiled together.
func corpus(t *testing.T) (root string, cases []*testCase) {
	t.Helper()
	root = t.TempDir()
	writeModule(t, root, "example.com/corpus", "")
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := &testCase{name: strings.TrimSuffix(filepath.Base(path), ".txtar"), archive: archive}
		c.dir = filepath.Join(root, c.name)
		for _, f := range archive.Files {
			if !strings.HasPrefix(f.Name, "want/") {
				write(t, filepath.Join(c.dir, f.Name), f.Data)
			}
		}
		c.options(t)
		cases = append(cases, c)
	}
	return root, cases
}

func (c *testCase) options(t *testing.T) {
	c.opts.Dir = c.dir
	for line := range strings.Lines(string(c.archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "dir":
			c.opts.Dir = filepath.Join(c.dir, value)
		case "file":
			c.opts.File = filepath.Join(c.dir, value)
		case "tag":
			c.opts.Tags = append(c.opts.Tags, value)
		}
	}
	path := filepath.Join(c.dir, "party.json")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	recorded := strings.Contains(string(c.archive.Comment), "record: parties")
	var raw struct {
		Parties map[string]string
		Crons   map[string]string
		Serve   string
		Client  string
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	// The last mention of a word is good enough a position.
	pos := func(word string) diag.Position {
		before := string(data[:strings.LastIndex(string(data), `"`+word+`"`)])
		return diag.Position{File: path, Line: strings.Count(before, "\n") + 1, Column: len(before) - strings.LastIndex(before, "\n")}
	}
	m := &generator.Manifest{Path: path, Parties: make(map[string]generator.PartyEntry), Crons: make(map[string]diag.Position), Assets: raw.Serve}
	for name, typ := range raw.Parties {
		m.Parties[name] = generator.PartyEntry{Type: typ, Pos: pos(name)}
	}
	for name := range raw.Crons {
		m.Crons[name] = pos(name)
	}
	if raw.Serve != "" {
		m.AssetsPos = pos(raw.Serve)
	}
	if raw.Client != "" {
		m.Client, m.ClientPos = filepath.Join(c.dir, raw.Client), pos(raw.Client)
	}
	if recorded {
		parsed, list := manifest.Parse(path, data)
		if len(list) > 0 {
			t.Fatal(list)
		}
		m.Source, m.Migrations = data, parsed.Migrations
		for n := range m.Migrations {
			m.MigrationsPos = append(m.MigrationsPos, parsed.Pos("migrations", fmt.Sprint(n)))
		}
	}
	c.opts.Manifest = m
}

// TestCorpus runs the generator over every case, and the compiler over what
// it made, on both sides of the build tag.
func TestCorpus(t *testing.T) {
	root, cases := corpus(t)
	var good []string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res, err := generator.Generate(c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if res.Diagnostics.HasErrors() != (res.Files == nil) {
				t.Errorf("%d files with diagnostics:\n%v", len(res.Files), res.Diagnostics)
			}
			c.compare(t, res)
			if res.Files == nil {
				return
			}
			if _, err := res.Write(); err != nil {
				t.Fatal(err)
			}
			if rel, err := filepath.Rel(root, c.opts.Dir); err == nil {
				good = append(good, "./"+filepath.ToSlash(rel))
			}
		})
	}
	if len(good) == 0 {
		t.Fatal("no case generates anything")
	}
	for _, tags := range []string{"", "party_host"} {
		goCommand(t, root, append([]string{"vet", "-tags=" + tags}, good...)...)
	}
}

// compare compares a result with the want files, or rewrites them.
func (c *testCase) compare(t *testing.T, res *generator.Result) {
	got := make(map[string]string)
	for _, f := range res.Files {
		got["want/"+c.under(f.Path)] = string(f.Data)
	}
	if res.Manifest != nil {
		got["want/party.json"] = string(res.Manifest.Data)
	}
	render := diag.Renderer{Source: diag.Files(), Dir: c.dir}
	if len(res.Diagnostics) > 0 {
		got["want/diagnostics"] = render.String(res.Diagnostics)
	}
	for _, path := range res.Stale {
		got["want/stale"] += c.under(path) + "\n"
	}
	want := make(map[string]string)
	kept := *c.archive
	kept.Files = nil
	for _, f := range c.archive.Files {
		if strings.HasPrefix(f.Name, "want/") {
			want[f.Name] = string(f.Data)
		} else {
			kept.Files = append(kept.Files, f)
		}
	}
	if !*update {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got, -update accepts it):\n%s", c.name, d)
		}
		return
	}
	for _, name := range []string{"want/party_gen.go", "want/party_calls_gen.go", "want/party_data_gen.go", "want/party_embed_gen.go", "want/party.json", "want/party.ts", "want/stale", "want/diagnostics"} {
		if data, ok := got[name]; ok {
			kept.Files = append(kept.Files, txtar.File{Name: name, Data: []byte(data)})
			delete(got, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		kept.Files = append(kept.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	write(t, filepath.Join("testdata", c.name+".txtar"), txtar.Format(&kept))
}

// under returns the name of a file in the package's folder, or its path in the case's.
func (c *testCase) under(path string) string {
	if rel, err := filepath.Rel(c.dir, path); err == nil && filepath.Dir(path) != c.opts.Dir && filepath.Ext(path) != ".ts" {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(path)
}

// writeModule makes dir a module that uses this checkout.
func writeModule(t *testing.T, dir, path, more string) {
	t.Helper()
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	// The same requirements, and so the same versions, without a look at the network.
	_, requirements, _ := strings.Cut(string(gomod), "\n")
	write(t, filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module %s\n%s\nrequire github.com/goparty-dev/party v0.0.0\n\nreplace github.com/goparty-dev/party => %s\n%s", path, requirements, checkout, more))
	sum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), sum)
}

func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
