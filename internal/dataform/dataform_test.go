package dataform_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"github.com/goparty-dev/party/internal/dataform"
)

// form returns the form of type T of a source.
func form(t *testing.T, source string) dataform.Form {
	t.Helper()
	clock := check(t, "time", "package time\ntype Time struct{ wall uint64 }\ntype Duration int64\n", nil)
	pkg := check(t, "a", "package a\nimport \"time\"\nvar _ time.Time\n"+source, stubs{"time": clock})
	return dataform.Of(pkg.Scope().Lookup("T").Type())
}

// stubs stand for the packages that a source imports.
type stubs map[string]*types.Package

func (s stubs) Import(path string) (*types.Package, error) { return s[path], nil }

func check(t *testing.T, path, source string, im types.Importer) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path+".go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := (&types.Config{Importer: im}).Check(path, fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"type T string", "string"},
		{"type T bool", "bool"},
		{"type T uint16", "int"},
		{"type T float32", "number"},
		{"type T []byte", "bytes"},
		{"type T []string", "list(string)"},
		{"type T [2]*int", "list(int)"},
		{"type T map[int]map[string]bool", "map(map(bool))"},
		{"type T any", "any"},
		{"type T = time.Time", "time"},
		{"type T time.Duration", "int"},
		{"type T struct{}", "{}"},
		{"type T complex64", "unknown"},
		{"type T struct { B int `json:\"b,omitempty\"`; A string; C int `json:\"-\"`; d int; E int `json:\",string\"` }", `{"A": string, "E": quoted-int, "b": int}`},
		{"type In struct { A, X int }; type P struct { Y int }; type T struct { A string; In; *P }", `{"A": string, "X": int, "Y": int}`},
		{"type In struct { A int }; type T struct { In `json:\"in\"` }", `{"in": {"A": int}}`},
		{"type T struct { Next *T; All []T }", `{"All": list(again("T")), "Next": again("T")}`},
		{"type T int; func (T) MarshalText() ([]byte, error) { return nil, nil }", `text("T")`},
		{"type T struct{ A int }; func (*T) MarshalJSON() ([]byte, error) { return nil, nil }", `json("T")`},
	} {
		f := form(t, c.source)
		if got := f.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.source, got, c.want)
		}
		again, err := dataform.Parse(f.String())
		if err != nil || again.String() != f.String() {
			t.Errorf("%s: read again it is %s (%v)", f, again, err)
		}
	}
}

func TestReads(t *testing.T) {
	for _, c := range []struct{ stored, now, want string }{
		{"string", "string", ""},
		{"int", "number", ""},
		{"number", "int", "it was a number and is an int"},
		{"string", "bytes", "it was a string and is bytes"},
		{"{}", "any", ""},
		{"any", "string", "it was anything and is a string"},
		{"unknown", "string", ""},
		{"string", "unknown", ""},
		{"list(int)", "map(int)", "it was a list and is a map"},
		{"list(int)", "list(string)", "in its elements it was an int and is a string"},
		{`{"a": int}`, `{"a": int, "b": int}`, ""},
		{`{"a": int, "b": int}`, `{"a": int}`, `it had "b", which it has no more`},
		{`{"a": {"b": map(bool)}}`, `{"a": {"b": map(int)}}`, `in its "a" in its "b" in its elements it was a bool and is an int`},
		{`{"a": int}`, `map(int)`, "it was an object and is a map"},
		{`text("A")`, `text("A")`, ""},
		{`text("A")`, `text("B")`, "it was written by A and is read by B"},
		{`json("A")`, `text("A")`, "it was what A writes and is what A writes"},
		{`{"n": again("A")}`, `{"n": again("B")}`, ""},
		{"int", "quoted-int", "it was an int and is quoted int"},
	} {
		stored, err := dataform.Parse(c.stored)
		if err != nil {
			t.Fatal(err)
		}
		now, err := dataform.Parse(c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := now.Reads(stored); got != c.want {
			t.Errorf("%s of %s: got %q, want %q", now, stored, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a": list(map(int)), "b c": text("T")}`, "quoted-int", "{}", `{"a": int,}`, "list(", `again(x)`, `{"\x00": any}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		form, err := dataform.Parse(s)
		if err != nil {
			return
		}
		again, err := dataform.Parse(form.String())
		if err != nil || again.String() != form.String() {
			t.Errorf("%q is %s, and that is %s (%v)", s, form, again, err)
		}
		if why := form.Reads(form); why != "" {
			t.Errorf("%s cannot read itself: %s", form, why)
		}
	})
}
