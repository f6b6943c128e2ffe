// Package partyvet finds mistakes in room code that the compiler accepts and
// that a room pays for at run time: turns that wait, rooms that are used
// outside turns, connections that are kept longer than they live, and persisted fields that cannot read
// what is stored.
//
// The analyzers are for party vet, go vet -vettool and editors. They look at one
// function at a time and know what they see by its types; what happens in
// functions that a callback calls is not followed. Annotations and signatures are
// not checked here: that is the generator's work.
package partyvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Analyzers are all of them.
var Analyzers = []*analysis.Analyzer{Blocking, Goroutine, Global, KeptConn, ChangedData}

const runtimePath = "github.com/goparty-dev/party/runtime"

// runtimeType reports whether t is a type of the runtime with that name, or a pointer to it.
func runtimeType(t types.Type, name string) bool {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == runtimePath
}

// isRoom reports whether t, or what it points to, is a struct that embeds party.Room.
func isRoom(t types.Type) bool { return embedsRoom(t, nil) }

func embedsRoom(t types.Type, seen []types.Type) bool {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	for _, s := range seen {
		if s == t {
			return false
		}
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if f.Embedded() && (runtimeType(f.Type(), "Room") || embedsRoom(f.Type(), append(seen, t))) {
			return true
		}
	}
	return false
}

// roomMethods calls each with the methods of room types, and with their receivers, nil for one without a name.
func roomMethods(pass *analysis.Pass, each func(fn *ast.FuncDecl, receiver types.Object)) {
	for _, file := range pass.Files {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Body == nil || len(fn.Recv.List) != 1 {
				continue
			}
			field := fn.Recv.List[0]
			if !isRoom(pass.TypesInfo.TypeOf(field.Type)) {
				continue
			}
			var receiver types.Object
			if len(field.Names) == 1 {
				receiver = pass.TypesInfo.Defs[field.Names[0]]
			}
			each(fn, receiver)
		}
	}
}

// roomCall returns the name of the method of party.Room that a call is of; "" for any other call.
func roomCall(pass *analysis.Pass, call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	fn, ok := pass.TypesInfo.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Signature().Recv() == nil || !runtimeType(fn.Signature().Recv().Type(), "Room") {
		return ""
	}
	return fn.Name()
}
