package generator

import (
	"cmp"
	"encoding/json"
	"go/constant"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// tsTypes says in TypeScript what encoding/json makes of Go types. Types whose
// packages were not read are unknown.
type tsTypes struct {
	names map[string]string // of those that are declared, by the type as TypeString writes it
	used  map[string]bool
	todo  []*types.Named
	decls []tsDecl
}

// tsDecl is one declared type.
type tsDecl struct{ name, text string }

// tsReserved are names that the client module declares itself, or needs with their usual meaning.
var tsReserved = []string{
	"ServerEvent", "ErrorFrame", "Messages", "Calls", "Party", "Place", "Connection", "CallError", "PartySocket", "PartySocketOptions",
	"Array", "Record", "Promise", "JSON", "Error", "MessageEvent", "Extract", "Omit", "Response", "Partial",
}

func newTSTypes() *tsTypes {
	t := &tsTypes{names: make(map[string]string), used: make(map[string]bool)}
	for _, name := range tsReserved {
		t.used[name] = true
	}
	return t
}

// declarations returns the types that have been used, by name.
func (t *tsTypes) declarations() []tsDecl {
	for len(t.todo) > 0 {
		named := t.todo[0]
		t.todo = t.todo[1:]
		d := tsDecl{name: t.names[types.TypeString(named, nil)]}
		if s, ok := named.Underlying().(*types.Struct); ok {
			d.text = "interface " + d.name + " " + t.object(s)
		} else {
			d.text = "type " + d.name + " = " + strings.Join(constants(named), " | ") + ";"
		}
		t.decls = append(t.decls, d)
	}
	slices.SortFunc(t.decls, func(a, b tsDecl) int { return cmp.Compare(a.name, b.name) })
	return t.decls
}

// of returns the type of what a Go type is encoded as.
func (t *tsTypes) of(typ types.Type) string {
	typ = types.Unalias(typ)
	switch {
	case isTime(typ):
		return "string"
	case isNumber(typ):
		return "number"
	case hasMethod(typ, "MarshalJSON"):
		return "unknown"
	case hasMethod(typ, "MarshalText"):
		return "string"
	}
	if named, ok := typ.(*types.Named); ok {
		_, isStruct := named.Underlying().(*types.Struct)
		if isStruct || len(constants(named)) > 0 {
			return t.declare(named)
		}
	}
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		return tsBasic(u)
	case *types.Pointer:
		return orNull(t.of(u.Elem()))
	case *types.Slice:
		return orNull(t.list(u))
	case *types.Array:
		return "Array<" + t.of(u.Elem()) + ">"
	case *types.Map:
		return orNull("Record<string, " + t.of(u.Elem()) + ">")
	case *types.Struct:
		return t.object(u)
	}
	return "unknown"
}

// list is a slice that is not nil.
func (t *tsTypes) list(s *types.Slice) string {
	if b, ok := s.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
		return "string" // base64
	}
	return "Array<" + t.of(s.Elem()) + ">"
}

func orNull(s string) string {
	if s == "unknown" || strings.HasSuffix(s, " | null") {
		return s
	}
	return s + " | null"
}

func tsBasic(b *types.Basic) string {
	switch {
	case b.Info()&types.IsBoolean != 0:
		return "boolean"
	case b.Info()&types.IsString != 0:
		return "string"
	case b.Info()&types.IsNumeric != 0:
		return "number"
	}
	return "unknown"
}

// declare returns the name of a type that is declared in the module. Each instance of a generic type is one.
func (t *tsTypes) declare(named *types.Named) string {
	key := types.TypeString(named, nil)
	if name, ok := t.names[key]; ok {
		return name
	}
	obj := named.Obj()
	name := strings.ToUpper(obj.Name()[:1]) + obj.Name()[1:]
	for arg := range named.TypeArgs().Types() {
		name += copyName(arg)
	}
	if t.used[name] && obj.Pkg() != nil && obj.Pkg().Path() != "" {
		pkg := obj.Pkg().Name()
		name = strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	name = fresh(func(s string) bool { return t.used[s] }, name, "Data")
	t.names[key], t.used[name] = name, true
	t.todo = append(t.todo, named)
	return name
}

var tsIdentifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func tsKey(name string) string {
	if tsIdentifier.MatchString(name) {
		return name
	}
	return tsString(name)
}

func tsString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("generator: quote: " + err.Error()) // a string
	}
	return string(b)
}

// object writes the fields of a struct as encoding/json does.
func (t *tsTypes) object(s *types.Struct) string {
	fields := t.fields(s)
	if len(fields) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(fields, "; ") + " }"
}

func (t *tsTypes) fields(s *types.Struct) []string {
	var out []string
	for _, f := range jsonFields(s, false, make(map[*types.Struct]bool)) {
		typ, mark := t.of(f.field.Type()), ""
		if bare := strings.TrimSuffix(typ, " | null"); f.quoted && (bare == "number" || bare == "boolean") {
			typ = "string" + strings.TrimPrefix(typ, bare)
		}
		if f.omitted {
			typ = strings.TrimSuffix(typ, " | null")
		}
		if f.optional {
			mark = "?"
		}
		out = append(out, tsKey(f.name)+mark+": "+typ)
	}
	return out
}

// jsonField is a field of a struct, or of one that it embeds, as encoding/json writes it.
type jsonField struct {
	field    *types.Var
	name     string
	optional bool // it may be missing
	omitted  bool // when it is empty
	quoted   bool // numbers and booleans are strings
	depth    int  // how many structs are embedded around it
}

func jsonFields(s *types.Struct, optional bool, seen map[*types.Struct]bool) []jsonField {
	if seen[s] {
		return nil
	}
	seen[s] = true
	var out []jsonField
	for n := range s.NumFields() {
		field := s.Field(n)
		tag := reflect.StructTag(s.Tag(n)).Get("json")
		words := strings.Split(tag, ",")
		f := jsonField{field: field, name: words[0], quoted: slices.Contains(words[1:], "string")}
		if field.Embedded() && f.name == "" {
			of := types.Unalias(field.Type())
			p, isPointer := of.(*types.Pointer)
			if isPointer {
				of = p.Elem()
			}
			if inner, ok := of.Underlying().(*types.Struct); ok && !isTime(of) {
				for _, f := range jsonFields(inner, optional || isPointer, seen) {
					f.depth++
					out = append(out, f)
				}
				continue
			}
		}
		if tag == "-" || !field.Exported() {
			continue
		}
		if f.name == "" {
			f.name = field.Name()
		}
		f.omitted = slices.Contains(words[1:], "omitempty") || slices.Contains(words[1:], "omitzero")
		f.optional = f.omitted || optional
		out = append(out, f)
	}
	all := slices.Clone(out)
	return slices.DeleteFunc(out, func(f jsonField) bool { // the one that is embedded less deeply hides the others
		return slices.ContainsFunc(all, func(other jsonField) bool { return other.name == f.name && other.depth < f.depth })
	})
}

// constants returns the values of the constants that are declared with a type, in the order
// of the source: what a type of words or numbers can be.
func constants(named *types.Named) []string {
	obj := named.Obj()
	if _, ok := named.Underlying().(*types.Basic); !ok || obj.Pkg() == nil || obj.Pkg().Path() == timePath {
		return nil
	}
	var found []*types.Const
	scope := obj.Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), named) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *types.Const) int { return cmp.Compare(a.Pos(), b.Pos()) })
	var values []string
	for _, c := range found {
		v := c.Val().ExactString()
		if c.Val().Kind() == constant.String {
			v = tsString(constant.StringVal(c.Val()))
		}
		if c.Val().Kind() != constant.Unknown && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}
