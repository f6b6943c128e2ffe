package hostbuild

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chain writes a module in which main imports far and near, and near imports far.
func chain(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.26.0\n")
	write(t, dir, "cmd/app/main.go", `package main

import (
	"fmt"

	"example.com/app/far"
	"example.com/app/near"
)

func main() { fmt.Println(far.Name(), far.Count, near.Both()) }
`)
	write(t, dir, "far/far.go", `package far

const Count = 1

func Name() string { return "far" }

//go:noinline
func Hidden() string {
	return "hidden"
}
`)
	write(t, dir, "near/near.go", `package near

import "example.com/app/far"

func Both() string { return far.Name() + "+" + far.Hidden() + other() }

func other() string { return "" }
`)
	return dir
}

func TestOtherPackagesOfTheModuleAreCompiledDirectly(t *testing.T) {
	dir := chain(t)
	b := newBuilder(t, filepath.Join(dir, "cmd/app"))
	build(t, b, false, "far 1 far+hidden")
	scan(t, b)

	// What others do not see, what they have compiled in, and both at once.
	replace(t, dir, "far/far.go", `"hidden"`, `"secret"`)
	build(t, b, true, "far 1 far+secret")
	replace(t, dir, "far/far.go", `"far"`, `"FAR"`)
	build(t, b, true, "FAR 1 FAR+secret")
	replace(t, dir, "far/far.go", "Count = 1", "Count = 2")
	replace(t, dir, "near/near.go", `return ""`, `return "!"`)
	build(t, b, true, "FAR 2 FAR+secret!")
	replace(t, dir, "cmd/app/main.go", "far.Count", "far.Count * 2")
	build(t, b, true, "FAR 4 FAR+secret!")
	// A signature, in all that use it.
	replace(t, dir, "far/far.go", "func Name() string {", "func Name(s ...int) string {")
	replace(t, dir, "near/near.go", "far.Name()", "far.Name(1, 2)")
	build(t, b, true, "FAR 4 FAR+secret!")
	// Back to what the go command has compiled.
	replace(t, dir, "far/far.go", "func Name(s ...int) string {", "func Name() string {")
	replace(t, dir, "near/near.go", "far.Name(1, 2)", "far.Name()")
	replace(t, dir, "far/far.go", `"FAR"`, `"far"`)
	build(t, b, true, "far 4 far+secret!")

	kept, err := filepath.Glob(filepath.Join(b.opts.Out, "unit-*"))
	if err != nil || len(kept) != 2 {
		t.Errorf("compiled packages are %v, want one for each of far and near (%v)", kept, err)
	}
	// Another plan begins with what the go command has made.
	write(t, dir, "far/more.go", "package far\n")
	build(t, b, false, "far 4 far+secret!")
	scan(t, b)
	replace(t, dir, "cmd/app/main.go", "far.Count * 2", "far.Count")
	build(t, b, true, "far 2 far+secret!")
	if kept, err := filepath.Glob(filepath.Join(b.opts.Out, "unit-*")); err != nil || len(kept) != 0 {
		t.Errorf("compiled packages are %v, want none (%v)", kept, err)
	}
}

// A package is compiled again only if it has changed, or what others see of a package that it imports.
func TestOnlyWhatHasChangedIsCompiled(t *testing.T) {
	dir := chain(t)
	b := newBuilder(t, filepath.Join(dir, "cmd/app"))
	build(t, b, false, "far 1 far+hidden")
	scan(t, b)
	made := func() map[string]string {
		archives := make(map[string]string)
		for path, c := range b.shop.made {
			archives[path] = filepath.Base(c.archive)
		}
		return archives
	}
	for _, step := range []struct {
		file, old, new string
		want           map[string]string
	}{
		{"near/near.go", `return ""`, `return "!"`, map[string]string{"example.com/app/near": "unit-1.a"}},
		{"far/far.go", `"hidden"`, `"secret"`, map[string]string{"example.com/app/far": "unit-2.a", "example.com/app/near": "unit-3.a"}},
		{"far/far.go", `"secret"`, `"covert"`, map[string]string{"example.com/app/far": "unit-4.a", "example.com/app/near": "unit-3.a"}},
		{"cmd/app/main.go", "far.Count", "far.Count + 0", map[string]string{"example.com/app/far": "unit-4.a", "example.com/app/near": "unit-3.a"}},
		{"far/far.go", `"far"`, `"FAR"`, map[string]string{"example.com/app/far": "unit-5.a", "example.com/app/near": "unit-6.a"}},
	} {
		replace(t, dir, step.file, step.old, step.new)
		bin, err := b.Build(t.Context())
		if err != nil || !bin.Direct {
			t.Fatalf("%s: %v, %+v", step.new, err, bin)
		}
		if d := cmp.Diff(step.want, made()); d != "" {
			t.Errorf("%s: compiled packages (-want +got):\n%s", step.new, d)
		}
	}
}

func TestProblemsInOtherPackagesHavePositionsBothWays(t *testing.T) {
	dir := chain(t)
	b := newBuilder(t, filepath.Join(dir, "cmd/app"))
	build(t, b, false, "far 1 far+hidden")
	replace(t, dir, "far/far.go", `return "hidden"`, "return hidden")
	slow := problems(t, b)
	replace(t, dir, "far/far.go", "return hidden", `return "hidden"`)
	build(t, b, false, "far 1 far+hidden")
	scan(t, b)
	replace(t, dir, "far/far.go", `return "hidden"`, "return hidden")
	fast := problems(t, b)
	if diff := cmp.Diff(fast, slow); diff != "" {
		t.Errorf("direct and go build differ (-direct +go build):\n%s", diff)
	}
	if len(fast) != 1 || fast[0].Pos.File != filepath.Join(dir, "far/far.go") || fast[0].Pos.Line != 9 {
		t.Errorf("got %+v, want one problem at far.go:9", fast)
	}
	// What one package has changed breaks another.
	replace(t, dir, "far/far.go", "return hidden", `return "hidden"`)
	replace(t, dir, "far/far.go", "func Name() string", "func Name(n int) string")
	if list := problems(t, b); len(list) != 1 || list[0].Pos.File != filepath.Join(dir, "near/near.go") {
		t.Errorf("got %+v, want a problem in near.go", list)
	}
	replace(t, dir, "far/far.go", "func Name(n int) string", "func Name() string")
	build(t, b, true, "far 1 far+hidden")
}

// A package with assembly is the go command's, and so are those that it imports.
func TestWhatForeignPackagesImportGoesThroughTheGoCommand(t *testing.T) {
	dir := chain(t)
	write(t, dir, "near/stub.s", "// nothing\n")
	b := newBuilder(t, filepath.Join(dir, "cmd/app"))
	build(t, b, false, "far 1 far+hidden")
	scan(t, b)
	replace(t, dir, "cmd/app/main.go", "far.Count", "far.Count + 1")
	build(t, b, true, "far 2 far+hidden")
	replace(t, dir, "far/far.go", `"far"`, `"FAR"`)
	build(t, b, false, "FAR 2 FAR+hidden")
	if len(b.shop.made) > 0 {
		t.Errorf("compiled in vain: %v", b.shop.made)
	}
}

func TestManyChangedPackagesGoThroughTheGoCommand(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.26.0\n")
	imports, sum := "", "0"
	for n := range maxUnits + 1 {
		write(t, dir, fmt.Sprintf("p%d/p.go", n), fmt.Sprintf("package p%d\n\nfunc N() int { return 1 }\n", n))
		imports += fmt.Sprintf("\t\"example.com/app/p%d\"\n", n)
		sum += fmt.Sprintf(" + p%d.N()", n)
	}
	write(t, dir, "main.go", "package main\n\nimport (\n"+imports+")\n\nfunc main() { println(\"\", "+sum+") }\n")
	b := newBuilder(t, dir)
	build(t, b, false, fmt.Sprint(maxUnits+1))
	scan(t, b)
	for n := range maxUnits {
		replace(t, dir, fmt.Sprintf("p%d/p.go", n), "return 1", "return 2")
	}
	build(t, b, true, fmt.Sprint(2*maxUnits+1))
	for n := range maxUnits + 1 {
		replace(t, dir, fmt.Sprintf("p%d/p.go", n), "return", "return 1 +")
	}
	build(t, b, false, fmt.Sprint(3*maxUnits+2))
}

func TestExportData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.a")
	for _, text := range []string{"", "!<arch>\n", "!<arch>\n__.PKGDEF       0           0     0     644     99999     `\n", "no archive at all, but long enough to be one, one might think, if it were one"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := exportData(path); err == nil {
			t.Errorf("exportData of %q is no error", text)
		}
	}
	if _, err := exportData(path + "x"); err == nil {
		t.Error("exportData of no file is no error")
	}
}
