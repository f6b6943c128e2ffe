package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// diagnosing returns the folders of the packages that make diagnostics: those that import package diag, that
// itself, and the analyzers.
func diagnosing(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, p := range list(t, "./...") {
		dir := strings.TrimPrefix(p.ImportPath, module+"/")
		if slices.Contains(p.Imports, module+"/internal/diag") || dir == "internal/diag" || dir == "analysis/partyvet" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// code is what a diagnostic's code looks like.
var code = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// diagnosticCodes finds the codes in the source: literals in calls of Errorf, Warnf and what is named
// like them, in problem literals, in variables and fields named code, and the names of analyzers. Each with
// the folder that has it.
func diagnosticCodes(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, dir := range diagnosing(t) {
		paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, e := range codesIn(dir, n) {
					if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						if s, err := strconv.Unquote(lit.Value); err == nil && code.MatchString(s) {
							found[s] = dir
						}
					}
				}
				return true
			})
		}
	}
	return found
}

// codesIn returns the expressions that may be codes in a node.
func codesIn(dir string, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"errorf", "warnf", "problem", "problemf"}, strings.ToLower(sel.Sel.Name)) {
			return nil
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "fmt" || len(n.Args) < 3 {
			return nil
		}
		return n.Args[:2]
	case *ast.CompositeLit:
		if id, ok := n.Type.(*ast.Ident); ok && id.Name == "problem" || n.Type == nil {
			if len(n.Elts) == 4 {
				return n.Elts[1:2]
			}
		}
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				key, ok := kv.Key.(*ast.Ident)
				if ok && strings.EqualFold(key.Name, "code") || ok && key.Name == "Name" && strings.HasSuffix(dir, "partyvet") {
					return []ast.Expr{kv.Value}
				}
			}
		}
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			id, ok := l.(*ast.Ident)
			sel, isField := l.(*ast.SelectorExpr)
			if ok && id.Name == "code" || isField && sel.Sel.Name == "code" {
				return n.Rhs[min(i, len(n.Rhs)-1) : min(i, len(n.Rhs)-1)+1]
			}
		}
	}
	return nil
}

// TestDiagnosticsAreDocumentedAndTested wants a line in docs/diagnostics.md for each code, and a test that sees it:
// those of the generator in a txtar case, as it is printed.
func TestDiagnosticsAreDocumentedAndTested(t *testing.T) {
	codes := diagnosticCodes(t)
	if len(codes) < 60 {
		t.Fatalf("only %d codes found: the search is broken", len(codes))
	}
	doc, err := os.ReadFile(filepath.Join(root, "docs", "diagnostics.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(doc), -1) {
		if documented[m[1]] {
			t.Errorf("docs/diagnostics.md has %s twice", m[1])
		}
		documented[m[1]] = true
	}
	cases, tests := testTexts(t)
	for c, dir := range codes {
		if !documented[c] {
			t.Errorf("docs/diagnostics.md has no line for %s, of %s: | `%s` | what is wrong | what to do |", c, dir, c)
		}
		delete(documented, c)
		seen := strings.Contains(cases, "["+c+"]") || strings.Contains(cases, `\[`+c+`\]`)
		if dir != "generator" {
			seen = seen || regexp.MustCompile(`\b`+c+`\b`).MatchString(tests)
		}
		if !seen {
			t.Errorf("no test sees the diagnostic %s, of %s", c, dir)
		}
	}
	for c := range documented {
		t.Errorf("docs/diagnostics.md explains %s, which no code has", c)
	}
}

// testTexts returns the text of all txtar files, and of those and all other tests.
func testTexts(t *testing.T) (cases, tests string) {
	t.Helper()
	var a, b strings.Builder
	for _, top := range []string{"generator", "internal", "cmd", "devserver", "analysis"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(path) == "diagnostics_test.go" {
				return err
			}
			txtar := filepath.Ext(path) == ".txtar"
			if !txtar && !strings.HasSuffix(path, "_test.go") {
				return nil
			}
			data, err := os.ReadFile(path)
			if txtar {
				a.Write(data)
			}
			b.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return a.String(), b.String()
}
