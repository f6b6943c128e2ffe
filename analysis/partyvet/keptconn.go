package partyvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// KeptConn finds connections in fields of rooms that hibernate.
var KeptConn = &analysis.Analyzer{
	Name: "partykeptconn",
	Doc: `find connections in fields of hibernating rooms

A room that hibernates is dropped from memory while its connections stay open, and comes back
as a fresh value. Keep what belongs to a connection in its state, and find connections
with Room.Connection and Room.Connections.`,
	Run: runKeptConn,
}

func runKeptConn(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		for _, decl := range file.Decls {
			decl, ok := decl.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			for _, spec := range decl.Specs {
				spec := spec.(*ast.TypeSpec)
				if s, ok := spec.Type.(*ast.StructType); ok && (hibernates(spec.Doc) || !decl.Lparen.IsValid() && hibernates(decl.Doc)) {
					keptConns(pass, s)
				}
			}
		}
	}
	return nil, nil
}

func hibernates(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		words := strings.Fields(c.Text)
		return words[0] == "//party:room" && slices.Contains(words, "hibernate")
	})
}

func keptConns(pass *analysis.Pass, s *ast.StructType) {
	for _, field := range s.Fields.List {
		if holdsConn(pass.TypesInfo.TypeOf(field.Type)) {
			pass.Reportf(field.Pos(), "the field is empty when the room comes back from hibernation, and the connection is still there: use its state, or Connection")
		}
	}
}

func holdsConn(t types.Type) bool {
	if runtimeType(t, "Conn") {
		return true
	}
	switch t := types.Unalias(t).Underlying().(type) {
	case *types.Slice:
		return holdsConn(t.Elem())
	case *types.Array:
		return holdsConn(t.Elem())
	case *types.Map:
		return holdsConn(t.Key()) || holdsConn(t.Elem())
	}
	return false
}
