package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConformanceRowsHaveTests wants a test behind each row of the tables in
// docs/conformance. The last cell of a row names tests in backticks, each with
// its place first: a package folder and a Go test, perhaps with a sub test, which may be a
// txtar file, or a file of end-to-end tests and a title:
//
//	`runtime/server TestRoutes/no match`, `e2e/tests/clients.test.js reconnects`
func TestConformanceRowsHaveTests(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "conformance", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages of docs/conformance: %v, %v", pages, err)
	}
	tests := make(testIndex)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range conformanceProblems(string(text), tests.missing) {
			t.Errorf("%s:%s", strings.TrimPrefix(filepath.ToSlash(page), root+"/"), problem)
		}
	}
}

var (
	tableRule = regexp.MustCompile(`^\|[\s:|-]+\|$`)
	codeSpan  = regexp.MustCompile("`([^`]+)`")
)

// conformanceProblems reads one page. missing says what is wrong with a
// reference to a test, or nothing.
func conformanceProblems(page string, missing func(place, test string) string) []string {
	var problems []string
	rows := 0
	lines := strings.Split(page, "\n")
	for n, line := range lines {
		complain := func(text string) { problems = append(problems, strconv.Itoa(n+1)+": "+text) }
		if !strings.HasPrefix(line, "|") || tableRule.MatchString(line) {
			continue
		}
		if n+1 < len(lines) && tableRule.MatchString(lines[n+1]) {
			continue // the head of a table
		}
		rows++
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, ""), "|")
		if len(cells) != 5 {
			complain("a row has three cells: behaviour, what party does, test")
			continue
		}
		references := codeSpan.FindAllStringSubmatch(cells[3], -1)
		if len(references) == 0 {
			complain("a row without a test")
		}
		for _, r := range references {
			place, test, ok := strings.Cut(r[1], " ")
			if !ok {
				complain("a test is named with its folder or file in front: " + r[1])
			} else if why := missing(place, test); why != "" {
				complain(why)
			}
		}
	}
	if rows == 0 {
		problems = append(problems, "1: no table")
	}
	return problems
}

// testIndex remembers, for each place, the tests in it, and for each test the
// string literals of its file, among which are the names of its sub tests.
type testIndex map[string]map[string]map[string]bool

func (x testIndex) missing(place, test string) string {
	if strings.HasSuffix(place, ".js") {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(place)))
		if err != nil || !strings.HasPrefix(place, "e2e/tests/") {
			return "there is no file of end-to-end tests " + place
		}
		if !strings.Contains(string(text), "test("+strconv.Quote(test)+",") && !strings.Contains(string(text), "test(`"+test+"`,") {
			return "there is no test titled " + strconv.Quote(test) + " in " + place
		}
		return ""
	}
	if x[place] == nil {
		x[place] = goTests(filepath.Join(root, filepath.FromSlash(place)))
	}
	name, subs, _ := strings.Cut(test, "/")
	literals, ok := x[place][name]
	if !ok {
		return "there is no test " + name + " in " + place
	}
	if subs != "" && !literals[subs] && !isScript(place, subs) {
		return "there is no sub test " + strconv.Quote(subs) + " in the file of " + name + " in " + place
	}
	return ""
}

// isScript reports whether a sub test is a testscript, or a case of a corpus.
func isScript(place, name string) bool {
	for _, folder := range []string{"script", "."} {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(place), "testdata", folder, name+".txtar")); err == nil {
			return true
		}
	}
	return false
}

func goTests(dir string) map[string]map[string]bool {
	tests := make(map[string]map[string]bool)
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, f := range files {
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // the compiler says so better
		}
		literals := make(map[string]bool)
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					literals[s] = true
				}
			}
			return true
		})
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				tests[fn.Name.Name] = literals
			}
		}
	}
	return tests
}

func TestConformanceProblems(t *testing.T) {
	const head = "| behaviour | what party does | test |\n|---|---|---|\n"
	for _, c := range []struct{ name, page, want string }{
		{"a Go test", head + "| a | b | `internal/architecture TestConformanceProblems` |", ""},
		{"a sub test", head + "| a | b | `internal/architecture TestConformanceProblems/a sub test` |", ""},
		{"a script", head + "| a | b | `cmd/party/internal/cli TestScripts/vars` |", ""},
		{"no such script", head + "| a | b | `cmd/party/internal/cli TestScripts/moon` |", `3: there is no sub test "moon" in the file of TestScripts in cmd/party/internal/cli`},
		{"a bar in a cell", head + "| a \\| b | b | `internal/architecture TestConformanceProblems` |", ""},
		{"no table", "# Title", "1: no table"},
		{"no test", head + "| a | b | by hand |", "3: a row without a test"},
		{"no place", head + "| a | b | `TestX` |", "3: a test is named with its folder or file in front: TestX"},
		{"two cells", head + "| a | `internal/architecture TestConformanceProblems` |", "3: a row has three cells: behaviour, what party does, test"},
		{"no such test", head + "| a | b | `internal/architecture TestNothing` |", "3: there is no test TestNothing in internal/architecture"},
		{"no such folder", head + "| a | b | `internal/nowhere TestNothing` |", "3: there is no test TestNothing in internal/nowhere"},
		{"no such title", head + "| a | b | `e2e/tests/clients.test.js the moon rises` |", `3: there is no test titled "the moon rises" in e2e/tests/clients.test.js`},
		{"no such file", head + "| a | b | `e2e/tests/moon.test.js x` |", "3: there is no file of end-to-end tests e2e/tests/moon.test.js"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(conformanceProblems(c.page, make(testIndex).missing), "\n")
			if got != c.want {
				t.Errorf("problems %q, want %q", got, c.want)
			}
		})
	}
	if why := make(testIndex).missing("internal/architecture", "TestConformanceProblems/the "+"moon"); why == "" {
		t.Error("a sub test that does not exist was found")
	}
}
