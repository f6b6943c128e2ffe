package generator

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runtimeTypes parses a file of the runtime and returns its type declarations and constants.
func runtimeTypes(t *testing.T, path string) (map[string]ast.Expr, map[string]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	declared, consts := make(map[string]ast.Expr), make(map[string]string)
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				declared[spec.Name.Name] = spec.Type
			case *ast.ValueSpec:
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					consts[spec.Names[0].Name] = lit.Value
				}
			}
		}
	}
	return declared, consts
}

// inPackage returns a type expression of package party as another package writes it.
func inPackage(t *testing.T, e ast.Expr) string {
	t.Helper()
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.Field:
			ast.Inspect(n.Type, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					return false
				case *ast.Ident:
					if ast.IsExported(n.Name) {
						n.Name = "party." + n.Name
					}
				}
				return true
			})
			return false
		}
		return true
	})
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), e); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHooksMatchRuntime compares the table of callbacks with the interfaces and
// the fields of the runtime that it stands for.
func TestHooksMatchRuntime(t *testing.T) {
	interfaces, _ := runtimeTypes(t, "../runtime/hooks.go")
	app, consts := runtimeTypes(t, "../runtime/app.go")

	if got, want := consts["GeneratedVersion"], strconv.Itoa(runtimeVersion); got != want {
		t.Errorf("GeneratedVersion of the runtime is %s, the generator's is %s", got, want)
	}
	want := make(map[string]string) // field and method → signature
	for _, field := range app["Instance"].(*ast.StructType).Fields.List {
		id, ok := field.Type.(*ast.Ident)
		if !ok || interfaces[id.Name] == nil {
			continue // no callback
		}
		method := interfaces[id.Name].(*ast.InterfaceType).Methods.List[0]
		signature := inPackage(t, method.Type.(*ast.FuncType))
		want[field.Names[0].Name+"."+method.Names[0].Name] = strings.TrimPrefix(signature, "func")
	}
	got := make(map[string]string)
	for _, h := range hooks {
		got[h.Field+"."+h.Method] = h.signature
	}
	if len(want) != len(interfaces) {
		t.Errorf("%d callbacks are fields of party.Instance, %d are declared", len(want), len(interfaces))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("callbacks (-runtime +generator):\n%s", diff)
	}

	functions := map[string]ast.Expr{}
	for _, name := range []string{"App", "BeforeHook", "CronHook"} {
		for _, field := range app[name].(*ast.StructType).Fields.List {
			if f, ok := field.Type.(*ast.FuncType); ok {
				functions[name+"."+field.Names[0].Name] = f
			}
		}
	}
	for verb, field := range map[string]string{
		verbFetch: "App.Fetch", verbSocket: "App.Socket", verbCron: "CronHook.Func",
		verbBeforeConnect: "BeforeHook.Func", verbBeforeRequest: "BeforeHook.Func",
	} {
		if got, want := lookupAnnotation(verb).signature, inPackage(t, functions[field]); got != want {
			t.Errorf("signature of %s is %s, the runtime's is %s", verb, got, want)
		}
	}
}

// TestImports keeps the generator apart from what it generates for.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const module = "github.com/goparty-dev/party/"
	for path := range strings.FieldsSeq(string(out)) {
		for _, forbidden := range []string{module + "runtime", module + "devserver", module + "cmd", "github.com/spf13/cobra"} {
			if path == forbidden || strings.HasPrefix(path, forbidden+"/") {
				t.Errorf("generator depends on %s", path)
			}
		}
	}
}
