package hostbuild

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
)

// module writes a small module: a main package, a package beside it, and a
// file for each side of the host tag.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.26.0\n")
	write(t, dir, "main.go", `package main

import (
	"fmt"
	"runtime/debug"

	"example.com/app/words"
)

func main() {
	info, _ := debug.ReadBuildInfo()
	fmt.Println(words.Hello, side, info.Main.Path)
}
`)
	write(t, dir, "host.go", "//go:build party_host\n\npackage main\n\nconst side = \"host\"\n")
	write(t, dir, "platform.go", "//go:build !party_host\n\npackage main\n\nconst side = \"platform\"\n")
	write(t, dir, "words/words.go", "package words\n\nconst Hello = \"hello\"\n")
	write(t, dir, "words/more.go", "package words\n\nconst More = 1\n")
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, dir, name, old, new string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	write(t, dir, name, strings.Replace(string(data), old, new, 1))
}

func newBuilder(t *testing.T, dir string) *Builder {
	t.Helper()
	b, err := New(Options{Dir: dir, Out: filepath.Join(t.TempDir(), "build"), Env: append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// build builds and runs, and checks which way was taken.
func build(t *testing.T, b *Builder, direct bool, want string) {
	t.Helper()
	bin, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if bin.Direct != direct {
		t.Errorf("direct = %v, want %v", bin.Direct, direct)
	}
	out, err := exec.Command(bin.Path).CombinedOutput()
	if err != nil {
		t.Fatalf("run: %v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("the binary printed %q, want %q", got, want)
	}
}

// scan waits out the margin in which a plan would be refused.
func scan(t *testing.T, b *Builder) Packages {
	t.Helper()
	for {
		found, err := b.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.current() != nil && b.current().holds() {
			return found
		}
	}
}

func TestBothWaysMakeTheSameProgram(t *testing.T) {
	dir := module(t)
	b := newBuilder(t, dir)
	build(t, b, false, "hello host example.com/app")
	build(t, b, false, "hello host example.com/app")
	found := scan(t, b)
	if diff := cmp.Diff(found.Dirs, []string{dir, filepath.Join(dir, "words")}); diff != "" {
		t.Errorf("dirs (-got +want):\n%s", diff)
	}

	replace(t, dir, "main.go", "side,", `side + "!",`)
	build(t, b, true, "hello host! example.com/app")
	replace(t, dir, "host.go", `"host"`, `"HOST"`)
	build(t, b, true, "hello HOST! example.com/app")
}

func TestWhatTheCompilerAloneCannotSeeGoesThroughTheGoCommand(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string
	}{
		{"a new import of another package", func(t *testing.T, dir string) {
			write(t, dir, "words/words.go", "package words\n\nimport \"strings\"\n\nvar Hello = strings.ToUpper(\"hello\")\n")
		}, "HELLO host example.com/app"},
		{"a new file of another package", func(t *testing.T, dir string) {
			write(t, dir, "words/init.go", "package words\n\nfunc init() { print() }\n")
		}, "hello host example.com/app"},
		{"a file of another package that is gone", func(t *testing.T, dir string) {
			replace(t, dir, "words/words.go", "hello", "goodbye")
			if err := os.Remove(filepath.Join(dir, "words/more.go")); err != nil {
				t.Fatal(err)
			}
		}, "goodbye host example.com/app"},
		{"a new import", func(t *testing.T, dir string) {
			replace(t, dir, "main.go", `"fmt"`, "\"fmt\"\n\t\"strings\"")
			replace(t, dir, "main.go", "words.Hello", "strings.ToUpper(words.Hello)")
		}, "HELLO host example.com/app"},
		{"a new file", func(t *testing.T, dir string) {
			write(t, dir, "init.go", "package main\n\nfunc init() { print() }\n")
		}, "hello host example.com/app"},
		{"a build constraint", func(t *testing.T, dir string) {
			replace(t, dir, "host.go", "party_host", "party_host && ignore")
			replace(t, dir, "platform.go", "!party_host", "party_host")
		}, "hello platform example.com/app"},
		{"a file that was left out", func(t *testing.T, dir string) {
			write(t, dir, "platform.go", "package main\n\nimport \"fmt\"\n\nfunc init() { fmt.Print(\"init \") }\n")
		}, "init hello host example.com/app"},
		{"an embedded file", func(t *testing.T, dir string) {
			write(t, dir, "side.txt", "embedded")
			write(t, dir, "host.go", "//go:build party_host\n\npackage main\n\nimport _ \"embed\"\n\n//go:embed side.txt\nvar side string\n")
		}, "hello embedded example.com/app"},
		{"a //go:debug line", func(t *testing.T, dir string) {
			replace(t, dir, "main.go", "package main", "//go:debug panicnil=1\npackage main")
		}, "hello host example.com/app"},
		{"go.mod", func(t *testing.T, dir string) {
			replace(t, dir, "go.mod", "go 1.26.0", "go 1.25.0")
		}, "hello host example.com/app"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := module(t)
			b := newBuilder(t, dir)
			build(t, b, false, "hello host example.com/app")
			scan(t, b)
			tt.change(t, dir)
			build(t, b, false, tt.want)
		})
	}
}

func TestProblemsHavePositionsBothWays(t *testing.T) {
	dir := module(t)
	b := newBuilder(t, dir)
	build(t, b, false, "hello host example.com/app")
	replace(t, dir, "main.go", "words.Hello", "words.Helo")
	slow := problems(t, b)

	replace(t, dir, "main.go", "words.Helo", "words.Hello")
	build(t, b, false, "hello host example.com/app")
	scan(t, b)
	replace(t, dir, "main.go", "words.Hello", "words.Helo")
	fast := problems(t, b)
	if diff := cmp.Diff(fast, slow); diff != "" {
		t.Errorf("direct and go build differ (-direct +go build):\n%s", diff)
	}
	if len(fast) != 1 || fast[0].Pos.File != filepath.Join(dir, "main.go") || fast[0].Pos.Line != 12 || fast[0].Pos.Column != 20 {
		t.Errorf("got %+v, want one problem at main.go:12:20", fast)
	}

	replace(t, dir, "main.go", "words.Helo", "words.Hello")
	build(t, b, true, "hello host example.com/app")
}

func problems(t *testing.T, b *Builder) diag.List {
	t.Helper()
	_, err := b.Build(t.Context())
	var failed *Failure
	if !errors.As(err, &failed) {
		t.Fatalf("build: %v, want a *Failure", err)
	}
	if failed.Output != "" {
		t.Errorf("output besides the problems: %q", failed.Output)
	}
	return failed.Diagnostics
}

func TestCompiledPackagesThatHaveGoneAreMadeAgain(t *testing.T) {
	dir := module(t)
	b := newBuilder(t, dir)
	build(t, b, false, "hello host example.com/app")
	scan(t, b)
	b.plan.exports["example.com/app/words"] = filepath.Join(dir, "gone.a")
	replace(t, dir, "main.go", "side,", `side + "!",`)
	build(t, b, false, "hello host! example.com/app")
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("//go:build a\n\npackage main\n\nimport \"fmt\"\n"))
	f.Add([]byte("package p; import (\"a\"; b \"c\")"))
	f.Add([]byte("//go:debug x=1\npackage main\n//go:embed x\nvar s string"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeader(data)
		if err != nil {
			return
		}
		known := map[string]bool{}
		for _, path := range h.imports {
			known[path] = true
		}
		if got := h.sameBuild(h, known); got == h.embeds {
			t.Errorf("a file compared with itself: %v, embeds %v", got, h.embeds)
		}
	})
}

// BenchmarkBuild changes one line and builds, both ways.
func BenchmarkBuild(b *testing.B) {
	for _, way := range []string{"go build", "direct"} {
		b.Run(way, func(b *testing.B) {
			dir := b.TempDir()
			source := "package main\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n)\n\nfunc main() { fmt.Println(http.StatusText(%d)) }\n"
			for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.26\n", "main.go": fmt.Sprintf(source, 0)} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			builder, err := New(Options{
				Dir: dir, Out: filepath.Join(b.TempDir(), "build"),
				Env: append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="), GoBuildOnly: way == "go build",
			})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := builder.Build(b.Context()); err != nil {
				b.Fatal(err)
			}
			for way == "direct" && builder.current() == nil {
				if _, err := builder.Scan(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			var compile, link time.Duration
			b.ResetTimer()
			for i := range b.N {
				if err := os.WriteFile(filepath.Join(dir, "main.go"), fmt.Appendf(nil, source, i+1), 0o644); err != nil {
					b.Fatal(err)
				}
				bin, err := builder.Build(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				compile, link = compile+bin.Compile, link+bin.Link
			}
			b.ReportMetric(float64(compile.Milliseconds())/float64(b.N), "compile-ms/op")
			b.ReportMetric(float64(link.Milliseconds())/float64(b.N), "link-ms/op")
		})
	}
}
