package partyvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Global finds rooms that are kept in package variables.
var Global = &analysis.Analyzer{
	Name: "partyglobal",
	Doc: `find rooms in package variables

A room's value ends when the room leaves memory or newer code takes it over, and may not be
on this machine at all. Reach rooms by name, through Room.Lobby.`,
	Run: runGlobal,
}

func runGlobal(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			assign, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for i, to := range assign.Lhs {
				if !global(pass, to) {
					continue
				}
				from := assign.Rhs[min(i, len(assign.Rhs)-1)]
				if holdsRoom(pass, from) {
					pass.Reportf(assign.Pos(), "a room in a package variable outlives its turn, and the room itself: reach it by name, through Lobby")
				}
			}
			return true
		})
	}
	return nil, nil
}

// global reports whether an expression is a package variable or a part of one.
func global(pass *analysis.Pass, e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			v, ok := pass.TypesInfo.Uses[x].(*types.Var)
			return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, ok := pass.TypesInfo.Uses[id].(*types.PkgName); ok {
					e = x.Sel
					continue
				}
			}
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return false
		}
	}
}

// holdsRoom reports whether an expression is a room, or appends one.
func holdsRoom(pass *analysis.Pass, e ast.Expr) bool {
	if _, ok := types.Unalias(pass.TypesInfo.TypeOf(e)).(*types.Pointer); ok && isRoom(pass.TypesInfo.TypeOf(e)) {
		return true
	}
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != "append" {
		return false
	}
	for _, arg := range call.Args[1:] {
		if holdsRoom(pass, arg) {
			return true
		}
	}
	return false
}
