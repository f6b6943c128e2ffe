package generator

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// Method is a method of a room type that other code may call.
type Method struct {
	Name    string
	Params  []Param // without the context
	Results []Param // without the error
	Public  bool    // clients may call it too

	params, results []types.Type
	pos             diag.Position
}

func typesOf(t *types.Tuple) []types.Type {
	var out []types.Type
	for v := range t.Variables() {
		out = append(out, v.Type())
	}
	return out
}

// Param is a parameter or result, as generated code names it.
type Param struct {
	Name string
	Type string // as it is written in generated code
	Copy string // what copies it for a call in one process, see copier
}

// KnownError is an error of the package that calls keep the identity of.
type KnownError struct {
	Name string
	Key  string // unique in a program
	Type bool   // a type, else a variable
}

// stubMethods are those of every binding, by which a method of a room cannot be called too.
var stubMethods = []string{"Call", "Fetch", "Forward", "Dial", "Stub"}

// rpcShape is what a signature has to be like.
const rpcShape = "func(ctx context.Context, arguments…) (results…, error)"

// methods returns the type's methods that others may call, in the order of the source.
func (r *roomType) methods(ann *annotated, names *typeNames) []Method {
	var found []Method
	r.annotatedMethods(verbRPC, ann, func(m methodDecl, obj *types.Func) {
		if slices.Contains(stubMethods, obj.Name()) {
			d := r.list.Errorf(r.prog.pos(obj), "name-taken", "a method named %s cannot be called by others: bindings have one of their own", obj.Name())
			d.Hint = "give it another name"
			return
		}
		if why := r.wrongCall(obj.Signature()); why != "" {
			d := r.list.Errorf(r.prog.pos(obj), "wrong-signature", "%s cannot be called by others: %s", obj.Name(), why)
			d.Hint = "want " + strings.Replace(rpcShape, "func(", "func ("+r.name+") "+obj.Name()+"(", 1) + ", with values that encoding/json writes and reads back"
			return
		}
		params := names.params(m.file, m.decl.Type.Params, "a", 1)[1:]
		results := names.params(m.file, m.decl.Type.Results, "r", 0)
		for n := range params {
			params[n].Copy = names.copies.of(obj.Signature().Params().At(n + 1).Type())
		}
		for n := range results[:len(results)-1] {
			results[n].Copy = names.copies.of(obj.Signature().Results().At(n).Type())
		}
		found = append(found, Method{
			Name: obj.Name(), Params: params, Results: results[:len(results)-1],
			Public: m.has(optionPublic), pos: r.prog.pos(obj), params: typesOf(obj.Signature().Params())[1:], results: typesOf(obj.Signature().Results())[:len(results)-1],
		})
	})
	return found
}

// wrongCall says what is wrong with the signature of a method that others call.
func (r *roomType) wrongCall(sig *types.Signature) string {
	params, results := sig.Params(), sig.Results()
	switch {
	case params.Len() == 0 || !types.Identical(params.At(0).Type(), theContract().context):
		return "its first parameter is not a context.Context"
	case results.Len() == 0 || !types.Identical(results.At(results.Len()-1).Type(), types.Universe.Lookup("error").Type()):
		return "its last result is not an error"
	case sig.Variadic():
		return "its last parameter is variadic"
	}
	all := slices.Collect(params.Variables())[1:]
	all = append(all, slices.Collect(results.Variables())[:results.Len()-1]...)
	for _, v := range all {
		e := encodable{list: r.list, prog: r.prog, pos: r.prog.pos(v), seen: make(map[types.Type]bool)}
		if why := e.wrong(v.Type()); why != "" {
			return why
		}
	}
	return ""
}

// knownErrors finds the package's error variables (ErrX, errX) and error types.
func knownErrors(p *program, importPath string) []KnownError {
	scope := p.own.pkg.Scope()
	errorType := types.Universe.Lookup("error").Type()
	var found []KnownError
	for _, name := range scope.Names() {
		switch obj := scope.Lookup(name).(type) {
		case *types.Var:
			if strings.HasPrefix(strings.ToLower(name), "err") && types.Identical(obj.Type(), errorType) {
				found = append(found, KnownError{Name: name})
			}
		case *types.TypeName:
			named, ok := obj.Type().(*types.Named)
			if !ok || obj.IsAlias() || named.TypeParams() != nil || types.IsInterface(named) {
				continue
			}
			for _, t := range []types.Type{named, types.NewPointer(named)} {
				if types.Implements(t, errorType.Underlying().(*types.Interface)) && travels(p, named) {
					found = append(found, KnownError{Name: p.typeString(t), Type: true})
				}
			}
		}
	}
	for i := range found {
		// With the path: another package may have an error of that name.
		star, name := "", found[i].Name
		if rest, ok := strings.CutPrefix(name, "*"); ok {
			star, name = "*", rest
		}
		if importPath != "" {
			name = importPath + "." + name
		}
		found[i].Key = star + name
	}
	return found
}

// travels reports whether JSON keeps all of a type.
func travels(p *program, t types.Type) bool {
	var list diag.List
	e := encodable{list: &list, prog: p, seen: make(map[types.Type]bool)}
	return e.wrong(t) == "" && len(list) == 0
}

// typeNames writes types as generated files do, and collects the imports that takes.
type typeNames struct {
	unit    *unit
	taken   func(string) bool
	imports map[string]string // name by path
	used    map[string]bool   // those of the imports that are mentioned, by path
	copies  *copier
}

// TypeImport is a package that types of arguments and results are of.
type TypeImport struct{ Name, Path string }

func (t *typeNames) list() []TypeImport {
	var out []TypeImport
	for _, path := range sortedKeys(t.used) {
		out = append(out, TypeImport{t.imports[path], path})
	}
	return out
}

// params returns a list of parameters with one name each. The first ones are left without their types.
func (t *typeNames) params(file *ast.File, list *ast.FieldList, letter string, without int) []Param {
	var out []Param
	for _, field := range list.List {
		typ := ""
		if len(out)+len(field.Names) > without || len(field.Names) == 0 && len(out) >= without {
			typ = t.write(file, field.Type)
		}
		for range max(len(field.Names), 1) {
			out = append(out, Param{Name: letter + strconv.Itoa(len(out)), Type: typ})
		}
	}
	// The names of the source, as far as they say something and mean nothing else.
	n := 0
	for _, field := range list.List {
		for _, name := range field.Names {
			own := name.Name
			if own != "_" && !reservedParam[own] && !numberedName.MatchString(own) && !t.taken(own) && types.Universe.Lookup(own) == nil {
				out[n].Name = own
			}
			n++
		}
		if len(field.Names) == 0 {
			n++
		}
	}
	return out
}

// numberedName is that of parameters that have none of their own.
var numberedName = regexp.MustCompile(`^[ar][0-9]+$`)

// reservedParam are names that generated code uses beside those of parameters.
var reservedParam = map[string]bool{"s": true, "ctx": true, "err": true, "v": true, "call": true, "got": true, "isolate": true, "party": true, "context": true}

// write returns a type expression of a file with the generated file's names of packages.
func (t *typeNames) write(file *ast.File, e ast.Expr) string {
	names := make(map[string]string)
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				if path := t.pathOf(file, id); path != "" {
					names[id.Name] = t.importAs(path, id.Name)
				}
			}
		}
		return true
	})
	var b bytes.Buffer
	if err := format.Node(&b, t.unit.src.fset, e); err != nil {
		panic("generator: print a type: " + err.Error()) // it has been parsed
	}
	again, err := parser.ParseExpr(b.String())
	if err != nil {
		return b.String()
	}
	ast.Inspect(again, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && names[id.Name] != "" {
				id.Name = names[id.Name]
			}
		}
		return true
	})
	b.Reset()
	if err := format.Node(&b, token.NewFileSet(), again); err != nil {
		panic("generator: print a type: " + err.Error())
	}
	return b.String()
}

func (t *typeNames) pathOf(file *ast.File, id *ast.Ident) string {
	if pkg, ok := t.unit.info.Uses[id].(*types.PkgName); ok {
		return pkg.Imported().Path()
	}
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && packageName(path) == id.Name {
			return path
		}
	}
	return ""
}

func (t *typeNames) importAs(path, usual string) string {
	t.used[path] = true
	if name, ok := t.imports[path]; ok {
		return name
	}
	used := func(name string) bool {
		return t.taken(name) || reservedParam[name] || reservedImport[name] || slices.Contains(sortedValues(t.imports), name)
	}
	name := fresh(used, usual, "_")
	t.imports[path] = name
	return name
}

func sortedValues(m map[string]string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}
