package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

func TestParseEnv(t *testing.T) {
	tests := []struct {
		name, source string
		want         map[string]string
		diagnostics  string
	}{
		{name: "empty"},
		{name: "comments and blanks", source: "# A=1\n\n  \t\n  # x\n"},
		{name: "plain", source: "A=1\nB= two words  # c\n C = x#y \nD=#c\nE=\nF.g-h=1", want: map[string]string{
			"A": "1", "B": "two words", "C": "x#y", "D": "", "E": "", "F.g-h": "1",
		}},
		{name: "export", source: "export A=1\nexport\tB=2\nexport=3\nexport = 4\nexported=5", want: map[string]string{
			"A": "1", "B": "2", "export": "4", "exported": "5",
		}, diagnostics: ".env:4:1: warning: this name was given before, and the later value counts [duplicate-name]\n  .env:3:1: note: first given here\n"},
		{name: "quotes", source: `A='a # "\n" ${B}' # c` + "\n" + `B=" \"\\\$\n\t\r\x ' $A " #c` + "\n" + `C=a"b"` + "\nD=''\nE=\"\"", want: map[string]string{
			"A": `a # "\n" ${B}`, "B": " \"\\$\n\t\r\\x ' $A ", "C": `a"b"`, "D": "", "E": "",
		}},
		{name: "several lines", source: "A=\"one\n# two\n\n three\"\nB=2\n", want: map[string]string{"A": "one\n# two\n\n three", "B": "2"}},
		{name: "windows", source: "\ufeffA=1\r\nB=\"x\r\ny\"\r\nC='z'\r\n\r\nD=\r\nE=1\r", want: map[string]string{
			"A": "1", "B": "x\ny", "C": "z", "D": "", "E": "1",
		}},
		{name: "a line end that is escaped stays", source: "A=\"x\\\r\ny\\\nz\"", want: map[string]string{"A": "x\\\ny\\\nz"}},
		{name: "equals in a value", source: "URL=postgres://u:p@h/db?a=b", want: map[string]string{"URL": "postgres://u:p@h/db?a=b"}},
		{
			name: "what is wrong is skipped", source: "A=1\nsecret\n1B=x\nC: secret\nD='secret\nE=\"a\" secret\n=secret\nF=\x00\nG=\xff\nexport\nZ=2\n",
			want: map[string]string{"A": "1", "Z": "2"},
			diagnostics: `.env:2:1: error: this is not NAME=value [syntax]
  hint: a name is letters, digits, dots, hyphens and underscores; a comment starts with #

.env:3:1: error: this is not NAME=value [syntax]
  hint: a name is letters, digits, dots, hyphens and underscores; a comment starts with #

.env:4:1: error: this is not NAME=value [syntax]
  hint: a name is letters, digits, dots, hyphens and underscores; a comment starts with #

.env:5:3: error: this quote is not closed [syntax]

.env:6:7: error: nothing but a comment may follow a quoted value [syntax]
  hint: inside of double quotes, write \" for a quote

.env:7:1: error: this is not NAME=value [syntax]
  hint: a name is letters, digits, dots, hyphens and underscores; a comment starts with #

.env:8:3: error: this value is not text [syntax]
  hint: save the file as UTF-8; encode binary values, for example as base64

.env:9:3: error: this value is not text [syntax]
  hint: save the file as UTF-8; encode binary values, for example as base64

.env:10:1: error: this is not NAME=value [syntax]
  hint: a name is letters, digits, dots, hyphens and underscores; a comment starts with #
`,
		},
		{
			name: "double quotes that are not closed", source: "A=\"secret\nB=2\n", want: map[string]string{"B": "2"},
			diagnostics: ".env:1:3: error: this quote is not closed [syntax]\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, list := manifest.ParseEnv(".env", []byte(tt.source))
			if d := cmp.Diff(got, tt.want, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("variables (-got +want):\n%s", d)
			}
			// Rendered with the source at hand, which must not be shown.
			if d := cmp.Diff(render(list, []byte(tt.source)), tt.diagnostics); d != "" {
				t.Errorf("diagnostics (-got +want):\n%s", d)
			}
		})
	}
}

func TestLoadVars(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	m := parse(t, `{"vars": {"A": "vars", "B": "vars", "C": "vars", "D": "vars", "N": 5}}`)
	env := write(".env", "B=env\nC=env\nD=env\n")
	local := write(".env.local", "C=local\nD=local\n")
	flags := map[string]string{"D": "flag"}

	tests := []struct {
		name  string
		m     *manifest.Manifest
		dev   bool
		want  map[string]any
		files []string
	}{
		{"dev", m, true, map[string]any{"A": "vars", "B": "env", "C": "local", "D": "flag", "N": 5.0}, []string{env, local}},
		{"production", m, false, map[string]any{"A": "vars", "B": "env", "C": "env", "D": "flag", "N": 5.0}, []string{env}},
		{"no manifest", nil, false, map[string]any{"B": "env", "C": "env", "D": "flag"}, []string{env}},
	}
	for _, tt := range tests {
		vars, files, list := manifest.LoadVars(tt.m, dir, tt.dev, flags)
		if d := cmp.Diff(vars, tt.want); d != "" || len(list) > 0 {
			t.Errorf("%s: variables (-got +want):\n%s%v", tt.name, d, list)
		}
		if d := cmp.Diff(files, tt.files); d != "" {
			t.Errorf("%s: files (-got +want):\n%s", tt.name, d)
		}
	}
	if m.Vars["D"] != "vars" {
		t.Errorf("LoadVars changed the manifest: %v", m.Vars)
	}

	write(".env.local", "A=1\nsecret")
	_, _, list := manifest.LoadVars(m, dir, true, nil)
	want := local + ":2:1: error: this is not NAME=value [syntax]"
	if len(list) != 1 || list[0].String() != want {
		t.Errorf("diagnostics are %v, want %s", list, want)
	}
}

func TestParseVars(t *testing.T) {
	lookup := func(name string) (string, bool) {
		return "from outside", name == "SECRET" || name == "a.b-c"
	}
	got, err := manifest.ParseVars([]string{"A=1", "SECRET", "B=x=y", "E=", "A=2", "a.b-c"}, lookup)
	want := map[string]string{"A": "2", "SECRET": "from outside", "B": "x=y", "E": "", "a.b-c": "from outside"}
	if d := cmp.Diff(got, want); d != "" || err != nil {
		t.Errorf("%v (-got +want):\n%s", err, d)
	}
	for arg, want := range map[string]string{
		"":         "--var wants NAME=value, or NAME for a variable of the environment",
		"=hush":    "--var wants NAME=value, or NAME for a variable of the environment",
		"A B=hush": "--var wants NAME=value, or NAME for a variable of the environment",
		"MISSING":  "--var MISSING: the environment has no such variable; set it, or write --var MISSING=value",
	} {
		if _, err := manifest.ParseVars([]string{"A=hush", arg}, lookup); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", arg, err, want)
		}
	}
}

func TestLoadVarsWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	// Python keeps its environments in folders of this name.
	if err := os.Mkdir(filepath.Join(dir, ".env"), 0o755); err != nil {
		t.Fatal(err)
	}
	vars, files, list := manifest.LoadVars(nil, dir, true, nil)
	if len(vars)+len(files)+len(list) > 0 || vars == nil {
		t.Errorf("LoadVars = %v, %v, %v", vars, files, list)
	}
}

func FuzzParseEnv(f *testing.F) {
	f.Add([]byte("export A='x' # c\r\nB=\"a\\n\nb\"\nC = d #e\n"))
	f.Add([]byte("A=\"SECRET\nB='SECRET\n=SECRET\nC=\"a\" SECRET"))
	f.Fuzz(func(t *testing.T, data []byte) {
		vars, list := manifest.ParseEnv("f", data)
		for name, value := range vars {
			if name == "" || strings.ContainsAny(name, "= \n\x00") || strings.Contains(value, "\x00") {
				t.Errorf("%q has the variable %q=%q", data, name, value)
			}
		}
		lines := strings.Split(string(data), "\n")
		for _, d := range list {
			if d.Pos.Line < 1 || d.Pos.Line > len(lines) || d.Pos.Column < 1 || d.Pos.Column > len(lines[d.Pos.Line-1])+1 {
				t.Errorf("%q has the diagnostic %+v", data, d)
			}
			if text := (diag.Renderer{}).String(diag.List{d}); strings.Contains(text, "SECRET") || !d.Sensitive {
				t.Errorf("%q has the diagnostic %q, sensitive: %v", data, text, d.Sensitive)
			}
		}
	})
}
