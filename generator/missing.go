package generator

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// missing returns the packages that are still empty and are mentioned where
// it matters: in what a room type embeds, and in signatures of callbacks and annotated functions.
func (p *program) missing(ann *annotated, tried map[string]*sources) []string {
	m := &mentions{prog: p, tried: tried, seen: make(map[types.Object]bool), paths: make(map[string]bool), read: make(map[types.Object]bool)}
	own := p.own
	for _, r := range ann.rooms {
		m.typ(own, own.info.Defs[r.spec.Name])
	}
	for _, f := range ann.functions {
		m.expr(own, f.file, f.decl.Type)
	}
	for _, f := range ann.methods {
		m.expr(own, f.file, f.decl.Type)
		for _, list := range []*ast.FieldList{f.decl.Type.Params, f.decl.Type.Results} {
			if list != nil {
				for _, v := range list.List {
					m.data(own, f.file, v.Type)
				}
			}
		}
	}
	for _, e := range ann.events {
		m.data(own, e.file, e.spec.Type)
	}
	return slices.Sorted(maps.Keys(m.paths))
}

// mentions collects import paths.
type mentions struct {
	prog  *program
	tried map[string]*sources
	seen  map[types.Object]bool
	paths map[string]bool
	read  map[types.Object]bool // types that have been looked at by data
}

// typ looks at a declared type: what it embeds, and its callbacks.
func (m *mentions) typ(u *unit, obj types.Object) {
	if u == nil || obj == nil || m.seen[obj] {
		return
	}
	m.seen[obj] = true
	decl, ok := u.types[obj]
	if !ok {
		return
	}
	for _, method := range u.methods[obj.Name()] {
		if callback(method.Name.Name) != nil {
			m.expr(u, u.files[method], method.Type)
		}
	}
	s, ok := decl.spec.Type.(*ast.StructType)
	if !ok {
		m.follow(u, decl.file, decl.spec.Type)
		return
	}
	for _, field := range s.Fields.List {
		if field.Tag != nil && strings.Contains(field.Tag.Value, tagKey+":") {
			m.data(u, decl.file, field.Type)
		} else if len(field.Names) == 0 {
			m.follow(u, decl.file, field.Type)
		}
	}
}

// data looks at the type expression of something that is encoded, and at all that it consists of.
func (m *mentions) data(u *unit, file *ast.File, e ast.Expr) {
	switch e := e.(type) {
	case *ast.StructType:
		for _, field := range e.Fields.List {
			if len(field.Names) == 0 || slices.ContainsFunc(field.Names, (*ast.Ident).IsExported) {
				m.data(u, file, field.Type)
			}
		}
		return
	case *ast.FuncType, *ast.InterfaceType, *ast.ChanType:
		return // has no form in JSON
	case *ast.StarExpr:
		m.data(u, file, e.X)
		return
	case *ast.ParenExpr:
		m.data(u, file, e.X)
		return
	case *ast.ArrayType:
		m.data(u, file, e.Elt)
		return
	case *ast.MapType:
		m.data(u, file, e.Key)
		m.data(u, file, e.Value)
		return
	}
	m.expr(u, file, e) // a name, perhaps with arguments
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			m.declared(u.info.Uses[id])
		}
		return true
	})
}

// declared looks at what a type is declared to be, if it does not encode itself.
func (m *mentions) declared(obj types.Object) {
	u := m.prog.unitOf(obj)
	if u == nil || m.read[obj] {
		return
	}
	m.read[obj] = true
	decl, ok := u.types[obj]
	if ok && !slices.ContainsFunc(u.methods[obj.Name()], func(f *ast.FuncDecl) bool {
		return f.Name.Name == "MarshalJSON" || f.Name.Name == "MarshalText"
	}) {
		m.data(u, decl.file, decl.spec.Type)
	}
}

// follow looks at a type expression and at the declarations of the types in it.
func (m *mentions) follow(u *unit, file *ast.File, e ast.Expr) {
	m.expr(u, file, e)
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			obj := u.info.Uses[id]
			m.typ(m.prog.unitOf(obj), obj)
		}
		return true
	})
}

// expr wants the packages of all names in a type expression that stand for nothing yet.
func (m *mentions) expr(u *unit, file *ast.File, e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			if pkg, ok := u.info.Uses[id].(*types.PkgName); ok {
				m.want(u, pkg.Imported().Path())
			} else if u.info.Uses[id] == nil {
				// The package's name is not what its path suggests.
				m.imports(u, file, "")
			}
			return false
		case *ast.Ident:
			if _, declares := u.info.Defs[n]; !declares && u.info.Uses[n] == nil {
				m.imports(u, file, ".")
			}
		}
		return true
	})
}

// imports wants those of a file that are made under a certain name.
func (m *mentions) imports(u *unit, file *ast.File, name string) {
	for _, spec := range file.Imports {
		as := ""
		if spec.Name != nil {
			as = spec.Name.Name
		}
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && as == name {
			m.want(u, path)
		}
	}
}

// want asks for a package that a unit mentions. The standard library has copies of packages that are nobody else's.
func (m *mentions) want(u *unit, path string) {
	_, tried := m.tried[path]
	if tried || path == "C" || theContract().packages[path] != nil || m.prog.where.standard(u.path) && u.path != "" && !m.prog.where.standard(path) {
		return
	}
	m.paths[path] = true
}
