package hostbuild

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
)

// header is what of a Go file decides how the go command would build it.
type header struct {
	pkg        string
	imports    []string
	directives []string // build constraints and //go:debug lines
	embeds     bool
}

// sameBuild reports whether a file with header now can take the place of one with
// header h without asking the go command.
func (h header) sameBuild(now header, known map[string]bool) bool {
	if now.pkg != h.pkg || now.embeds || !slices.Equal(now.directives, h.directives) {
		return false
	}
	for _, path := range now.imports {
		if !known[path] {
			return false
		}
	}
	return true
}

func readHeader(path string) (header, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return header{}, err
	}
	return parseHeader(data)
}

// parseHeader fails when the file is broken before its first declaration.
func parseHeader(data []byte) (header, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", data, parser.ImportsOnly|parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return header{}, err
	}
	h := header{pkg: f.Name.Name, embeds: bytes.Contains(data, []byte("//go:embed"))}
	for _, imp := range f.Imports {
		path, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return header{}, err
		}
		h.imports = append(h.imports, path)
	}
	for _, group := range f.Comments {
		if group.Pos() >= f.Package {
			break
		}
		for _, c := range group.List {
			for _, prefix := range []string{"//go:build", "// +build", "//+build", "//go:debug"} {
				if strings.HasPrefix(c.Text, prefix) {
					h.directives = append(h.directives, c.Text)
				}
			}
		}
	}
	return h, nil
}
