package partyvet

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// Goroutine finds goroutines that use a room outside turns.
var Goroutine = &analysis.Analyzer{
	Name: "partygoroutine",
	Doc: `find goroutines that touch a room

What a method of a room type starts with the go statement, or hands to time.AfterFunc or a WaitGroup, runs beside the room's turns. There
the room's fields and most of its methods race; Room.Do enters a turn.`,
	Run: runGoroutine,
}

// anywhere are the methods of party.Room that may be called outside turns.
var anywhere = []string{"Do", "Name", "Party", "Env", "Logger"}

func runGoroutine(pass *analysis.Pass) (any, error) {
	roomMethods(pass, func(fn *ast.FuncDecl, receiver types.Object) {
		if receiver == nil {
			return
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				outside(pass, n.Call, receiver)
				return false
			case *ast.CallExpr:
				if runsBeside(pass, n) {
					outside(pass, n, receiver)
					return false
				}
			}
			return true
		})
	})
	return nil, nil
}

// beside are functions and methods that run what they are given on another goroutine.
var beside = map[string][]string{
	"time":                       {"AfterFunc"},
	"context":                    {"AfterFunc"},
	"sync":                       {"Go"},
	"golang.org/x/sync/errgroup": {"Go", "TryGo"},
}

func runsBeside(pass *analysis.Pass, call *ast.CallExpr) bool {
	fn := callee(pass, call)
	return fn != nil && fn.Pkg() != nil && slices.Contains(beside[fn.Pkg().Path()], fn.Name())
}

// outside reports uses of the room in code that runs outside turns.
func outside(pass *analysis.Pass, n ast.Node, receiver types.Object) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if !slices.Contains(anywhere, roomCall(pass, n)) {
				return true
			}
			if roomCall(pass, n) == "Do" {
				return false // it is a turn
			}
			for _, arg := range n.Args {
				outside(pass, arg, receiver)
			}
			return false
		case *ast.Ident:
			if pass.TypesInfo.Uses[n] == receiver {
				pass.Reportf(n.Pos(), "the goroutine uses the room outside its turns: enter one with %s.Do", n.Name)
			}
		}
		return true
	})
}
