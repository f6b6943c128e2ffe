package partyvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// Blocking finds turns that wait: nothing else happens in the room meanwhile.
var Blocking = &analysis.Analyzer{
	Name: "partyblocking",
	Doc: `find slow work in a turn

A method of a room type that sleeps, sends an HTTP request, asks a database or waits for a
channel holds up everybody in the room. Room.Await gives the turn up for that time.`,
	Run: runBlocking,
}

// slow are functions and methods that wait for something outside.
var slow = map[string][]string{
	"time":         {"Sleep"},
	"net/http":     {"Get", "Head", "Post", "PostForm", "Do"},
	"database/sql": {"Query", "QueryContext", "QueryRow", "QueryRowContext", "Exec", "ExecContext", "Ping", "PingContext", "Begin", "BeginTx"},
	"os/exec":      {"Run", "Output", "CombinedOutput", "Wait"},
	"net":          {"Dial", "DialTimeout"},
}

func runBlocking(pass *analysis.Pass) (any, error) {
	roomMethods(pass, func(fn *ast.FuncDecl, _ types.Object) {
		b := &blocking{pass: pass}
		ast.Inspect(fn.Body, b.look)
	})
	return nil, nil
}

type blocking struct{ pass *analysis.Pass }

// look reports what waits, and leaves out what does not run in the turn.
func (b *blocking) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return false
	case *ast.SelectStmt:
		b.choice(n)
		return false
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			b.report(n.Pos(), "a channel")
		}
	case *ast.RangeStmt:
		if _, ok := b.pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
			b.report(n.Pos(), "a channel")
		}
	case *ast.CallExpr:
		if roomCall(b.pass, n) == "Await" || runsBeside(b.pass, n) {
			return false
		}
		if fn := callee(b.pass, n); fn != nil && fn.Pkg() != nil && slices.Contains(slow[fn.Pkg().Path()], fn.Name()) && !ofHeader(fn) {
			b.report(n.Pos(), fn.Pkg().Name()+"."+fn.Name())
		}
	}
	return true
}

// ofHeader reports whether a function is a method of http.Header, which has a Get as well.
func ofHeader(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	if recv == nil {
		return false
	}
	named, ok := types.Unalias(recv.Type()).(*types.Named)
	return ok && named.Obj().Name() == "Header"
}

// choice looks at a select: with a default it does not wait. What its cases do is looked at in any case.
func (b *blocking) choice(s *ast.SelectStmt) {
	waits := true
	for _, c := range s.Body.List {
		clause := c.(*ast.CommClause)
		waits = waits && clause.Comm != nil
		for _, stmt := range clause.Body {
			ast.Inspect(stmt, b.look)
		}
	}
	if waits {
		b.report(s.Pos(), "a select")
	}
}

func (b *blocking) report(pos token.Pos, what string) {
	b.pass.Reportf(pos, "the turn waits for %s, and the whole room with it: do that in Await", what)
}

// callee returns the function or method that is called by name.
func callee(pass *analysis.Pass, call *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch f := call.Fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return nil
	}
	fn, _ := pass.TypesInfo.Uses[id].(*types.Func)
	return fn
}
