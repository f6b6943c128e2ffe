package generator

import (
	"bytes"
	"go/ast"
	"go/types"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// callback returns the callback of that name, or nil.
func callback(name string) *hook {
	for i := range hooks {
		if hooks[i].Method == name {
			return &hooks[i]
		}
	}
	return nil
}

// methodLine returns a callback's declaration as it would stand in file, with
// the receiver that the type's methods use.
func methodLine(h *hook, receiver, typeName string, file *ast.File) string {
	return methodAs(h.Method, theContract().callbacks[h.Method], receiver, typeName, file)
}

// methodAs is methodLine for any method.
func methodAs(name string, sig *types.Signature, receiver, typeName string, file *ast.File) string {
	if receiver == "" || receiver == "_" {
		r, _ := utf8.DecodeRuneInString(typeName)
		receiver = string(unicode.ToLower(r))
	}
	return "func (" + receiver + " *" + typeName + ") " + name + written(sig, file)
}

// written returns a signature's parameters and results as they would be written in file,
// which may import the packages under other names.
func written(sig *types.Signature, file *ast.File) string {
	var b bytes.Buffer
	types.WriteSignature(&b, sig, func(pkg *types.Package) string { return importedAs(file, pkg.Path(), pkg.Name()) })
	return b.String()
}

// importedAs returns the name under which file imports a package, "" for a dot
// import, and otherwise, when it does not import it, the given one.
func importedAs(file *ast.File, path, otherwise string) string {
	if file == nil {
		return otherwise
	}
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != path {
			continue
		}
		switch {
		case spec.Name == nil:
			return otherwise
		case spec.Name.Name == ".":
			return ""
		case spec.Name.Name != "_":
			return spec.Name.Name
		}
	}
	return otherwise
}

func imports(file *ast.File, path string) bool {
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && p == path {
			return true
		}
	}
	return false
}

// embedHint shows the line to add to a struct in file.
func embedHint(typeName string, file *ast.File) string {
	var b strings.Builder
	b.WriteString("type " + typeName + " struct {\n\t")
	if name := importedAs(file, runtimePath, "party"); name != "" {
		b.WriteString(name + ".")
	}
	b.WriteString("Room\n")
	if !imports(file, runtimePath) {
		b.WriteString("with import party " + strconv.Quote(runtimePath))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
