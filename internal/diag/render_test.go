package diag_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
)

// source serves the lines of one text as those of every file.
func source(text string) func(string, int) (string, bool) {
	lines := strings.Split(text, "\n")
	return func(_ string, line int) (string, bool) {
		if line > len(lines) {
			return "", false
		}
		return lines[line-1], true
	}
}

func TestRender(t *testing.T) {
	long := strings.Repeat("a", 150) + "X" + strings.Repeat("b", 150)
	tests := []struct {
		name   string
		source string
		d      diag.Diagnostic
		want   string
	}{
		{
			name:   "everything",
			source: "{\n  \"prot\": 1999,\n}",
			d: diag.Diagnostic{
				Pos: diag.Position{File: "party.json", Line: 2, Column: 3}, Code: "unknown-key",
				Message: `unknown key "prot"`, Hint: `did you mean "port"?`,
				Related: []diag.Related{{Pos: diag.Position{File: "other.json", Line: 1, Column: 1}, Message: "first here"}},
			},
			want: `party.json:2:3: error: unknown key "prot" [unknown-key]
      "prot": 1999,
      ^
  hint: did you mean "port"?
  other.json:1:1: note: first here
`,
		},
		{
			name: "no place",
			d:    diag.Diagnostic{Severity: diag.Warning, Message: "nothing to do"},
			want: "warning: nothing to do\n",
		},
		{
			name: "a file as a whole",
			d:    diag.Diagnostic{Pos: diag.Position{File: "a.go"}, Message: "m"},
			want: "a.go: error: m\n",
		},
		{
			name:   "a line as a whole",
			source: "x := 1",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1}, Message: "m"},
			want:   "a.go:1: error: m\n    x := 1\n",
		},
		{
			name:   "tabs",
			source: "\tif\tx {",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 5}, Message: "m"},
			want:   "a.go:1:5: error: m\n        if  x {\n            ^\n",
		},
		{
			name:   "wide and combining characters",
			source: "世界 e\u0301 👩‍👩‍👧 x",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 1 + len("世界 e\u0301 👩‍👩‍👧 ")}, Message: "m"},
			want:   "a.go:1:31: error: m\n    世界 e\u0301 👩‍👩‍👧 x\n              ^\n",
		},
		{
			name:   "escape sequences and bytes that are no text",
			source: "a\x1b[31mb\xff c",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 10}, Message: "a\x1b[2Jb\nc"},
			want:   "a.go:1:10: error: a\ufffd[2Jb c\n    a\ufffd[31mb\ufffd c\n             ^\n",
		},
		{
			name:   "a long line",
			source: long,
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 151}, Message: "m"},
			want: "a.go:1:151: error: m\n    …" + strings.Repeat("a", 66) + "X" + strings.Repeat("b", 33) +
				"…\n    " + strings.Repeat(" ", 67) + "^\n",
		},
		{
			name:   "the end of a long line",
			source: long,
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 302}, Message: "m"},
			want:   "a.go:1:302: error: m\n    …" + strings.Repeat("b", 100) + "\n    " + strings.Repeat(" ", 101) + "^\n",
		},
		{
			name:   "the start of a huge line",
			source: strings.Repeat("a", 1<<20),
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 2}, Message: "m"},
			want:   "a.go:1:2: error: m\n    " + strings.Repeat("a", 100) + "…\n     ^\n",
		},
		{
			name:   "a column beyond the line",
			source: "ab",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 1, Column: 99}, Message: "m"},
			want:   "a.go:1:99: error: m\n    ab\n      ^\n",
		},
		{
			name:   "a line that is not there",
			source: "ab",
			d:      diag.Diagnostic{Pos: diag.Position{File: "a.go", Line: 7, Column: 1}, Message: "m"},
			want:   "a.go:7:1: error: m\n",
		},
		{
			name:   "a secret",
			source: "TOKEN 123",
			d:      diag.Diagnostic{Pos: diag.Position{File: ".env", Line: 1, Column: 7}, Message: "m", Sensitive: true},
			want:   ".env:1:7: error: m\n",
		},
		{
			name: "a hint of several lines",
			d:    diag.Diagnostic{Message: "m", Hint: "write\n\tparty.Room\n"},
			want: "error: m\n  hint: write\n            party.Room\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := diag.Renderer{Source: source(tt.source)}.String(diag.List{tt.d})
			if d := cmp.Diff(got, tt.want); d != "" {
				t.Errorf("rendered (-got +want):\n%s", d)
			}
		})
	}
}

func TestRenderList(t *testing.T) {
	dir := t.TempDir()
	below, beside := filepath.Join(dir, "sub", "a.go"), filepath.Join(filepath.Dir(dir), "b.go")
	list := diag.List{
		{Pos: diag.Position{File: below, Line: 1, Column: 2}, Message: "one"},
		{Pos: diag.Position{File: beside, Line: 3}, Message: "two"},
		{Pos: diag.Position{File: "c.go", Line: 4}, Message: "three"},
	}
	got := diag.Renderer{Dir: dir}.String(list)
	want := fmt.Sprintf("%s:1:2: error: one\n\n%s:3: error: two\n\nc.go:4: error: three\n", filepath.Join("sub", "a.go"), beside)
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("rendered (-got +want):\n%s", d)
	}
}

func TestRenderColor(t *testing.T) {
	list := diag.List{{Pos: diag.Position{File: "a.go", Line: 1, Column: 1}, Code: "c", Message: "m", Hint: "h"}}
	got := diag.Renderer{Source: source("x"), Color: true}.String(list)
	want := "\x1b[1ma.go:1:1:\x1b[0m \x1b[1;31merror:\x1b[0m \x1b[1mm\x1b[0m \x1b[2m[c]\x1b[0m\n" +
		"    x\n    \x1b[1;32m^\x1b[0m\n\x1b[36m  hint: \x1b[0mh\n"
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("rendered (-got +want):\n%s", d)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	if err := os.WriteFile(path, []byte("one\r\ntwo"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := diag.Files()
	for line, want := range []string{"", "one", "two", ""} {
		got, ok := files(path, line)
		if got != want || ok != (want != "") {
			t.Errorf("line %d is %q, %v, want %q", line, got, ok, want)
		}
	}
	if got, ok := files(path+".not", 1); ok {
		t.Errorf("a file that does not exist has the line %q", got)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a := \t\"世界\"", 3)
	f.Add("\x1b[0m\xff", 2)
	f.Add(strings.Repeat("\u0301", 5000), 9000)
	f.Fuzz(func(t *testing.T, line string, column int) {
		line, _, _ = strings.Cut(line, "\n")
		d := diag.Diagnostic{Pos: diag.Position{File: "f", Line: 1, Column: column}, Message: line}
		got := diag.Renderer{Source: source(line)}.String(diag.List{d})
		if !utf8.ValidString(got) || strings.ContainsRune(got, '\x1b') || strings.Count(got, "\n") > 3 {
			t.Errorf("%q at column %d is rendered as %q", line, column, got)
		}
	})
}
