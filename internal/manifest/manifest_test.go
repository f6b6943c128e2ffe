package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// parse is Parse of a manifest without mistakes.
func parse(t *testing.T, source string) *manifest.Manifest {
	t.Helper()
	m, list := manifest.Parse("party.json", []byte(source))
	if len(list) > 0 {
		t.Fatalf("%s has diagnostics:\n%s", source, render(list, []byte(source)))
	}
	return m
}

// plain compares the data of manifests, not where it stands.
var plain = cmp.Options{cmpopts.IgnoreUnexported(manifest.Manifest{}), cmpopts.EquateEmpty()}

func defaults() *manifest.Manifest {
	return &manifest.Manifest{
		Path: "party.json", Main: ".", Port: 1999, Persist: ".party/state", Prefix: "parties",
		Build: manifest.Build{Cwd: "."}, Limits: manifest.DefaultLimits(),
	}
}

func TestParse(t *testing.T) {
	no, seconds := false, 60
	headers := map[string]string{
		"Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS", "Access-Control-Allow-Headers": "*", "Access-Control-Max-Age": "86400",
	}
	tests := []struct {
		source string
		want   func(*manifest.Manifest)
	}{
		{`{}`, func(m *manifest.Manifest) {}},
		{"\ufeff// c\r\n{\r\n} // end", func(m *manifest.Manifest) {}},
		{`{"name": "a-1", "main": "cmd/x", "port": 80, "prefix": "a/b", "$schema": "s"}`, func(m *manifest.Manifest) {
			m.Name, m.Main, m.Port, m.Prefix, m.Schema = "a-1", "cmd/x", 80, "a/b", "s"
		}},
		{`{"serve": "public"}`, func(m *manifest.Manifest) { m.Serve.Path = "public" }},
		{`{"serve": {"path": "public", "singlePageApp": true, "browserTTL": 60, "edgeTTL": null}}`, func(m *manifest.Manifest) {
			m.Serve = manifest.Serve{Path: "public", SinglePageApp: true, BrowserTTL: &seconds}
		}},
		{`{"serve": {"path": "public", "build": "a.ts"}}`, func(m *manifest.Manifest) {
			m.Serve = manifest.Serve{Path: "public", Build: &manifest.ClientBuild{
				Entry: []string{"a.ts"}, Bundle: true, Splitting: true, Sourcemap: true, Format: "esm", Outdir: "public/dist",
			}}
		}},
		{`{"serve": {"path": "public", "build": {"entry": "a.ts", "bundle": false, "minify": false, "outdir": "out"}}}`, func(m *manifest.Manifest) {
			m.Serve = manifest.Serve{Path: "public", Build: &manifest.ClientBuild{
				Entry: []string{"a.ts"}, Splitting: true, Sourcemap: true, Format: "esm", Outdir: "out", Minify: &no,
			}}
		}},
		{`{"persist": false}`, func(m *manifest.Manifest) { m.Persist = "" }},
		{`{"client": "web/party.ts"}`, func(m *manifest.Manifest) { m.Client = "web/party.ts" }},
		{`{"persist": true}`, func(m *manifest.Manifest) {}},
		{`{"persist": "/var/x"}`, func(m *manifest.Manifest) { m.Persist = "/var/x" }},
		{`{"vars": {"A": "\u00e9", "B": [1.5, true, null, {}]}}`, func(m *manifest.Manifest) {
			m.Vars = map[string]any{"A": "é", "B": []any{1.5, true, nil, map[string]any{}}}
		}},
		{`{"build": {"command": "make", "watch": "src"}}`, func(m *manifest.Manifest) {
			m.Build = manifest.Build{Command: "make", Cwd: ".", Watch: []string{"src"}}
		}},
		{`{"limits": {"idleSeconds": 0.25, "roomQueue": 7, "bodyBytes": 5000000000}}`, func(m *manifest.Manifest) {
			m.Limits.Idle, m.Limits.RoomQueue, m.Limits.BodyBytes = 250*time.Millisecond, 7, 5_000_000_000
		}},
		{`{"migrations": [{"tag": "v1", "new": ["A"]}, {"tag": "v2", "renamed": [{"from": "A", "to": "B"}]}]}`, func(m *manifest.Manifest) {
			m.Migrations = []manifest.Migration{{Tag: "v1", New: []string{"A"}}, {Tag: "v2", Renamed: []manifest.Rename{{From: "A", To: "B"}}}}
		}},
		{`{"cors": false}`, func(m *manifest.Manifest) {}},
		{`{"cors": true}`, func(m *manifest.Manifest) { m.CORS = &manifest.CORS{Origins: []string{"*"}, Headers: headers} }},
		{`{"cors": {}}`, func(m *manifest.Manifest) { m.CORS = &manifest.CORS{Origins: []string{"*"}, Headers: headers} }},
		{`{"cors": {"origins": ["https://a.com"]}}`, func(m *manifest.Manifest) {
			m.CORS = &manifest.CORS{Origins: []string{"https://a.com"}, Headers: headers}
		}},
		{`{"cors": {"headers": {"A": "b"}}}`, func(m *manifest.Manifest) { m.CORS = &manifest.CORS{Headers: map[string]string{"A": "b"}} }},
	}
	for _, tt := range tests {
		want := defaults()
		tt.want(want)
		if d := cmp.Diff(parse(t, tt.source), want, plain); d != "" {
			t.Errorf("%s (-got +want):\n%s", tt.source, d)
		}
	}
}

func TestWrongValuesHaveTheirDefaults(t *testing.T) {
	m, list := manifest.Parse("party.json", []byte(`{"port": 0, "main": "a.go", "limits": {"connections": 0, "roomQueue": 5}, "migrations": [{"tag": 1}]}`))
	want := defaults()
	want.Main, want.Limits.RoomQueue = "a.go", 5
	if d := cmp.Diff(m, want, plain); d != "" {
		t.Errorf("manifest (-got +want):\n%s", d)
	}
	if len(list) != 3 {
		t.Errorf("diagnostics are %v, want 3", list)
	}
	m, list = manifest.Parse("party.json", []byte(`{"port": 5,`))
	if d := cmp.Diff(m, defaults(), plain); d != "" || len(list) != 1 {
		t.Errorf("manifest of a file that ends too early (-got +want):\n%s\n%v", d, list)
	}
}

func TestDefault(t *testing.T) {
	want := defaults()
	want.Path = ""
	if d := cmp.Diff(manifest.Default(), want, plain); d != "" {
		t.Errorf("default (-got +want):\n%s", d)
	}
}

func TestPos(t *testing.T) {
	m := parse(t, `// the manifest
{
  "serve": "public",
  "parties": {"chat": "Chat"},
  "migrations": [{"tag": "v1"}],
}`)
	tests := []struct {
		path       string
		has        bool
		value, key string
	}{
		{"", true, "2:1", "2:1"},
		{"serve", true, "3:12", "3:3"},
		{"serve path", false, "3:12", "3:12"},
		{"parties chat", true, "4:23", "4:15"},
		{"parties user", false, "4:14", "4:14"},
		{"migrations 0", true, "5:18", "5:18"},
		{"migrations 0 tag", true, "5:26", "5:19"},
		{"main", false, "2:1", "2:1"},
	}
	for _, tt := range tests {
		path := strings.Fields(tt.path)
		if got := m.Has(path...); got != tt.has {
			t.Errorf("Has(%q) = %v, want %v", path, got, tt.has)
		}
		if got, want := m.Pos(path...).String(), "party.json:"+tt.value; got != want {
			t.Errorf("Pos(%q) = %s, want %s", path, got, want)
		}
		if got, want := m.KeyPos(path...).String(), "party.json:"+tt.key; got != want {
			t.Errorf("KeyPos(%q) = %s, want %s", path, got, want)
		}
	}
	if got := manifest.Default().Pos("main"); got.File != "" {
		t.Errorf("a manifest without a file has the position %v", got)
	}
}

func TestAbs(t *testing.T) {
	dir := t.TempDir()
	m, _ := manifest.Parse(filepath.Join(dir, "party.json"), []byte("{}"))
	if got, want := m.Abs("a/b.go"), filepath.Join(dir, "a", "b.go"); got != want {
		t.Errorf("Abs = %q, want %q", got, want)
	}
	if got := m.Abs(dir); got != dir {
		t.Errorf("Abs of an absolute path = %q, want %q", got, dir)
	}
	if got, want := manifest.Default().Abs("a"), "a"; got != want {
		t.Errorf("Abs without a file = %q, want %q", got, want)
	}
}

func TestFindAndLoad(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "a", "b")
	// A folder of that name is none.
	if err := os.MkdirAll(filepath.Join(sub, "party.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	if path, ok := manifest.Find(sub); ok {
		t.Errorf("Find = %q in a tree without a manifest", path)
	}
	for _, name := range []string{"party.jsonc", "party.json"} { // the later is preferred
		want := filepath.Join(dir, name)
		if err := os.WriteFile(want, []byte(`{"name": "found"}`), 0o644); err != nil {
			t.Fatal(err)
		}
		got, ok := manifest.Find(sub)
		if !ok || got != want {
			t.Errorf("Find = %q, %v, want %q", got, ok, want)
		}
		if m, list := manifest.Load(got); m.Name != "found" || m.Path != want || len(list) > 0 {
			t.Errorf("Load = %+v, %v", m, list)
		}
	}
	t.Chdir(sub)
	if got, ok := manifest.Find("."); !ok || !filepath.IsAbs(got) {
		t.Errorf("Find(.) = %q, %v, want an absolute path", got, ok)
	}
}

func TestLoadUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "party.json")
	m, list := manifest.Load(path)
	want := path + ": error: cannot read the manifest: no such file or directory [unreadable]\n"
	if got := (diag.Renderer{}).String(list); got != want {
		t.Errorf("diagnostics are %q, want %q", got, want)
	}
	if m == nil || m.Port != manifest.DefaultPort || m.Path != path {
		t.Errorf("the manifest is %+v, want the default", m)
	}
}

func TestTooLarge(t *testing.T) {
	_, list := manifest.Parse("party.json", append([]byte("{}"), make([]byte, 1<<20)...))
	if len(list) != 1 || !strings.Contains(list[0].Message, "larger than") {
		t.Errorf("diagnostics are %v", list)
	}
	source := []byte("{\n\"name\": \"a\xffb\"}")
	_, list = manifest.Parse("party.json", source)
	if len(list) != 1 || list[0].String() != "party.json:2:11: error: this is not UTF-8 [syntax]" {
		t.Errorf("diagnostics of text that is not UTF-8 are %v", list)
	}
}

func TestCORSFor(t *testing.T) {
	tests := []struct {
		source, origin string
		want           map[string]string
	}{
		{`{}`, "https://a.com", nil},
		{`{"cors": {"headers": {"A": "b"}}}`, "https://a.com", map[string]string{"A": "b"}},
		{`{"cors": {"headers": {"A": "b"}, "origins": ["*"]}}`, "https://a.com", map[string]string{"A": "b", "Access-Control-Allow-Origin": "*"}},
		{`{"cors": {"headers": {"A": "b"}, "origins": ["https://a.com", "https://b.com"]}}`, "https://b.com",
			map[string]string{"A": "b", "Access-Control-Allow-Origin": "https://b.com", "Vary": "Origin"}},
		{`{"cors": {"headers": {"A": "b"}, "origins": ["https://a.com"]}}`, "https://c.com", map[string]string{"Vary": "Origin"}},
	}
	for _, tt := range tests {
		if d := cmp.Diff(parse(t, tt.source).CORS.For(tt.origin), tt.want); d != "" {
			t.Errorf("%s for %s (-got +want):\n%s", tt.source, tt.origin, d)
		}
	}
}

func TestCheckCron(t *testing.T) {
	good := []string{"* * * * *", "0 4 1,15 * MON-fri", "*/5 0-23/2 * jan 0", "0 0 31 12 7", "5/10 * * * *", "@daily", "@every 1h30m", " 0  0 * * *"}
	for _, expr := range good {
		if err := manifest.CheckCron(expr); err != nil {
			t.Errorf("CheckCron(%q) = %v", expr, err)
		}
	}
	bad := []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *",
		"1, * * * *", "-1 * * * *", "mon * * * *", "@", "@every", "@every x", "@every 1ms", "1-2-3 * * * *", "+1 * * * *"}
	for _, expr := range bad {
		if err := manifest.CheckCron(expr); err == nil {
			t.Errorf("CheckCron(%q) has no error", expr)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"port": 1, "serve": {"path": "p", "build": "a"}, "migrations": [{"tag": "a"}], "cors": true, "vars": {"A": [1e400]}}`))
	f.Add([]byte("// c\n{\"a\": 'x', /* */ \"b\": [1,]} x"))
	f.Add([]byte("{\"crons\": {\"a\": \"1-2,3/4 * * * *\"}, \"limits\": {\"idleSeconds\": 1e-9},}//"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, list := manifest.Parse("f", data)
		if m == nil || m.Port < 1 || m.Limits.Idle <= 0 || m.Prefix == "" {
			t.Fatalf("%q is read as %+v", data, m)
		}
		lines := strings.Split(string(data), "\n")
		inside := func(p diag.Position) bool {
			return p.File == "f" && p.Line >= 1 && p.Line <= len(lines) && p.Column >= 1 && p.Column <= len(lines[p.Line-1])+1
		}
		for _, d := range list {
			if !inside(d.Pos) || d.Code == "" || d.Message == "" || strings.Contains(d.Message, "\n") {
				t.Errorf("%q has the diagnostic %+v", data, d)
			}
			for _, r := range d.Related {
				if !inside(r.Pos) {
					t.Errorf("%q has the related position %v", data, r.Pos)
				}
			}
		}
		if len(list) == 0 && !inside(m.Pos("vars")) {
			t.Errorf("%q has vars at %v", data, m.Pos("vars"))
		}
		for name, expr := range m.Crons {
			if err := manifest.CheckCron(expr); err != nil {
				t.Errorf("cron %q of %q is read in spite of %v", name, data, err)
			}
		}
	})
}
