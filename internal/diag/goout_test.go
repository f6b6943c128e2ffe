package diag_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
)

func TestParseGo(t *testing.T) {
	tests := []struct {
		name   string
		output string
		want   string // rendered
		rest   string
	}{
		{name: "nothing", output: "\n"},
		{
			name: "compiler",
			output: `# ex.com/x/a
./a.go:16:12: cannot use T{} (value of struct type T) as I value in variable declaration: T does not implement I (wrong type for method m)
		have m()
		want m(int)
./a.go:13:6: x redeclared in this block
	./a.go:12:6: other declaration of x
sub/b.go:3: no column
./a.go:16:6: declared and not used: i
./a.go:20:6: too many errors
`,
			want: `a.go:13:6: error: x redeclared in this block [compile]
  a.go:12:6: note: other declaration of x

a.go:16:6: error: declared and not used: i [compile]

a.go:16:12: error: cannot use T{} (value of struct type T) as I value in variable declaration: T does not implement I (wrong type for method m); have m(); want m(int) [compile]

sub/b.go:3: error: no column [compile]
`,
		},
		{
			name:   "one mistake printed for a package and for its test",
			output: "# ex.com/x\n./a.go:1:2: undefined: y\n# ex.com/x [ex.com/x.test]\n./a.go:1:2: undefined: y\ntoo many errors\n",
			want:   "a.go:1:2: error: undefined: y [compile]\n",
		},
		{
			name:   "vet",
			output: "# ex.com/x/b\n# [ex.com/x/b]\n./b.go:7:34: fmt.Printf format %d has arg \"x\" of wrong type string\nvet: ./c.go:1:2: undefined: y\n",
			want: `b.go:7:34: error: fmt.Printf format %d has arg "x" of wrong type string [vet]

c.go:1:2: error: undefined: y [vet]
`,
		},
		{
			name:   "a missing module",
			output: "a.go:5:2: no required module provides package ex.com/nope; to add it:\n\tgo get ex.com/nope\n",
			want:   "a.go:5:2: error: no required module provides package ex.com/nope; to add it [compile]\n  hint: go get ex.com/nope\n",
		},
		{
			name:   "the go command",
			output: "go: updates to go.mod needed; to update it:\n\tgo mod tidy\ngo: go.mod:3: unknown directive: foo\n",
			want: `error: updates to go.mod needed; to update it [go]
  hint: go mod tidy

go.mod:3: error: unknown directive: foo [go]
`,
		},
		{
			name:   "the linker",
			output: "# ex.com/a\n./a.go:1:2: undefined: y\n# ex.com/b\nmain.main: relocation target main.ext not defined\n",
			want:   "a.go:1:2: error: undefined: y [compile]\n",
			rest:   "# ex.com/b\nmain.main: relocation target main.ext not defined",
		},
		{
			name:   "an import cycle",
			output: "package ex.com/c\n\timports ex.com/d from c.go\n\timports ex.com/c from d.go: import cycle not allowed\n",
			rest:   "package ex.com/c\n\timports ex.com/d from c.go\n\timports ex.com/c from d.go: import cycle not allowed",
		},
		{
			name:   "windows",
			output: "C:\\src\\a.go:5:2: undefined: y\r\n",
			want:   "C:\\src\\a.go:5:2: error: undefined: y [compile]\n",
		},
		{
			name:   "output of a program that looks nearly alike",
			output: "a.go: no line\na.go:0:1: zero\na.go:99999999999999999999:1: huge\nlisten 127.0.0.1:80: no\na.go:1:2:\nx.txt:1:2: other file\ngo: \n",
			rest:   "a.go: no line\na.go:0:1: zero\na.go:99999999999999999999:1: huge\nlisten 127.0.0.1:80: no\na.go:1:2:\nx.txt:1:2: other file\ngo:",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, rest := diag.ParseGo(tt.output, "")
			if d := cmp.Diff(diag.Renderer{}.String(list), tt.want); d != "" {
				t.Errorf("diagnostics (-got +want):\n%s", d)
			}
			if d := cmp.Diff(rest, tt.rest); d != "" {
				t.Errorf("rest (-got +want):\n%s", d)
			}
		})
	}
}

func TestParseGoPaths(t *testing.T) {
	dir := t.TempDir()
	elsewhere := filepath.Join(dir, "else", "b.go")
	list, _ := diag.ParseGo("../a.go:1:1: m\n"+elsewhere+":1:1: m\n", filepath.Join(dir, "pkg"))
	var got []string
	for _, d := range list {
		got = append(got, d.Pos.File)
	}
	if d := cmp.Diff(got, []string{filepath.Join(dir, "a.go"), elsewhere}); d != "" {
		t.Errorf("files (-got +want):\n%s", d)
	}
}

func FuzzParseGo(f *testing.F) {
	f.Add("# p\n./a.go:1:2: m\n\t./b.go:1:2: r\n\tmore\ngo: x:\n\ty\nvet: a.go:1: z\n")
	f.Add("# p\nlink: no\n")
	f.Add("go: ::\n\ty\n\tz\n")
	f.Add(" go: 00")
	f.Fuzz(func(t *testing.T, output string) {
		list, rest := diag.ParseGo(output, "dir")
		for _, d := range list {
			if d.Message == "" || d.Pos.Line < 0 || d.Pos.Column < 0 || (d.Pos.Line > 0) != (d.Pos.File != "") {
				t.Errorf("bad diagnostic %+v", d)
			}
			if strings.Contains(d.Message, "\n") {
				t.Errorf("message %q has several lines", d.Message)
			}
		}
		// What is left over says nothing new when it is read again.
		if again, _ := diag.ParseGo(rest, "dir"); len(again) != 0 {
			t.Errorf("rest %q has the diagnostics %v", rest, again)
		}
	})
}
