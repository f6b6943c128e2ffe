package generator

import (
	"go/ast"
	"go/token"
	"hash/maphash"
	"slices"
	"strings"
)

var outlineSeed = maphash.MakeSeed()

func sum(data []byte) uint64 { return maphash.Bytes(outlineSeed, data) }

// outline sums up what of a file the result depends on: all but the bodies of functions and those comments that
// are neither annotations nor look like some, nor build constraints. Outlines are comparable within one process.
func outline(fset *token.FileSet, file *ast.File, data []byte) uint64 {
	type span struct{ from, to int }
	var cut []span
	add := func(n ast.Node) {
		cut = append(cut, span{fset.PositionFor(n.Pos(), false).Offset, fset.PositionFor(n.End(), false).Offset})
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
			add(f.Body)
		}
	}
	var h maphash.Hash
	h.SetSeed(outlineSeed)
	for _, group := range file.Comments {
		for _, c := range group.List {
			add(c)
			if strings.Contains(c.Text, "party:") || c.Pos() < file.Package && (strings.HasPrefix(c.Text, "//go:build") || strings.Contains(c.Text, "+build")) {
				h.WriteString(c.Text)
				h.WriteByte('\n')
			}
		}
	}
	slices.SortFunc(cut, func(a, b span) int { return a.from - b.from })
	at := 0
	for _, s := range cut {
		if s.from < at {
			at = max(at, s.to)
			continue // inside of a body
		}
		h.Write(data[at:min(s.from, len(data))])
		h.WriteByte(0)
		at = min(s.to, len(data))
	}
	h.Write(data[at:])
	return h.Sum64()
}
