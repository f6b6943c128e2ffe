package generator

import (
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Copy is a generated function that copies values of one type, as JSON would, for calls in one process.
type Copy struct {
	Name string
	Type string // as it is written in generated code
	// Expr is what it returns for its parameter v; empty for structs and arrays.
	Expr   string
	Fields []CopyField // of a struct, those that JSON writes
	Elem   string      // of an array: what copies an element
}

// CopyField is one field of a struct that is copied.
type CopyField struct {
	Name string
	Func string // what copies it; empty: assignment
	When string // condition on the value v, under which JSON writes it; empty: always
}

type typedCopy struct {
	Copy
	of types.Type
}

// Functions of package isolate. Functions of the generated code have names that begin in lower case.
const (
	copyPlain = ""     // by assignment
	copyJSON  = "JSON" // by encoding: there is no other way
)

// copier decides how values of each type are copied. A type that it cannot take apart is
// copied as JSON, and so is all that contains it: what encoding/json does with a value
// depends on where it stands.
type copier struct {
	*universe
	names *typeNames
	found map[string]string // what copies a type, by the type as TypeString writes it
	used  map[string]bool   // names of functions
	list  []typedCopy
	open  []*types.Named // structs that are being looked at
}

func newCopier(u *universe, names *typeNames) *copier {
	return &copier{universe: u, names: names, found: make(map[string]string), used: make(map[string]bool)}
}

// of returns what copies values of a type: a function of package isolate, one that is generated, or
// copyPlain or copyJSON.
func (c *copier) of(t types.Type) string {
	t = types.Unalias(t)
	key := types.TypeString(t, nil)
	if f, ok := c.found[key]; ok {
		return f
	}
	f := c.find(t)
	if len(c.open) == 0 || f != copyJSON { // within itself a recursive type has no copy yet
		c.found[key] = f
	}
	return f
}

func (c *copier) find(t types.Type) string {
	switch {
	case isTime(t):
		return "Time"
	case isNumber(t):
		return copyJSON
	case marshals(t) || hasMethod(t, "UnmarshalJSON") || hasMethod(t, "UnmarshalText"):
		return copyJSON
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return copyBasic(u)
	case *types.Pointer:
		switch u.Elem().Underlying().(type) {
		case *types.Slice, *types.Map, *types.Pointer:
			return copyJSON // a pointer to nil is null, and comes back as a nil pointer
		}
		return c.composite(t, "Pointer(v, %)", u.Elem())
	case *types.Slice:
		if elem := c.of(u.Elem()); elem == copyPlain {
			return "PlainSlice"
		}
		return c.composite(t, "Slice(v, %)", u.Elem())
	case *types.Map:
		if key := c.of(u.Key()); key != copyPlain && key != "String" {
			return copyJSON
		}
		return c.composite(t, "Map(v, %, %)", u.Key(), u.Elem())
	case *types.Array:
		switch elem := c.of(u.Elem()); {
		case elem == copyPlain:
			return copyPlain
		case elem != copyJSON && c.nameable(t):
			return c.add(t, Copy{Elem: elem})
		}
	case *types.Struct:
		return c.structure(t, u)
	}
	return copyJSON
}

func copyBasic(b *types.Basic) string {
	switch {
	case b.Info()&(types.IsInteger|types.IsBoolean) != 0:
		return copyPlain
	case b.Info()&types.IsString != 0:
		return "String"
	case b.Info()&types.IsFloat != 0:
		return "Float"
	}
	return copyJSON
}

// composite adds a function that calls one of package isolate with those that copy the parts.
func (c *copier) composite(t types.Type, expr string, parts ...types.Type) string {
	for _, part := range parts {
		f := c.of(part)
		if f == copyJSON {
			return copyJSON
		}
		if f == copyPlain {
			f = "Plain"
		}
		expr = strings.Replace(expr, "%", f, 1)
	}
	if !c.nameable(t) {
		return copyJSON
	}
	return c.add(t, Copy{Expr: expr})
}

func (c *copier) add(t types.Type, f Copy) string {
	f.Name = fresh(func(s string) bool { return c.used[s] || c.names.taken(s) }, "partyCopy"+copyName(t), "_")
	c.used[f.Name] = true
	c.list = append(c.list, typedCopy{f, t})
	return f.Name
}

// functions returns those that copying the methods' arguments and results takes, in the order in which they were found.
func (c *copier) functions(rooms []Room) []Copy {
	needed := make(map[string]bool)
	for i := range rooms {
		for _, f := range rooms[i].Methods {
			for _, v := range slices.Concat(f.Params, f.Results) {
				needed[v.Copy] = true
			}
		}
	}
	var out []Copy
	for _, f := range slices.Backward(c.list) { // what a function calls was found before it
		if !needed[f.Name] {
			continue
		}
		for _, part := range f.parts() {
			needed[part] = true
		}
		f.Type = c.names.text(f.of)
		out = append(out, f.Copy)
	}
	slices.Reverse(out)
	return out
}

// parts are the functions that copy what a value consists of.
func (f *Copy) parts() []string {
	parts := strings.FieldsFunc(f.Expr, func(r rune) bool { return strings.ContainsRune("(), ", r) })
	parts = append(parts, f.Elem)
	for _, field := range f.Fields {
		parts = append(parts, field.Func)
	}
	return parts
}

// copyName says a type in words.
func copyName(t types.Type) string {
	t = types.Unalias(t)
	if named, ok := t.(*types.Named); ok {
		name := named.Obj().Name()
		for arg := range named.TypeArgs().Types() {
			name += copyName(arg)
		}
		return strings.ToUpper(name[:1]) + name[1:]
	}
	switch u := t.(type) {
	case *types.Basic:
		return strings.ToUpper(u.Name()[:1]) + u.Name()[1:]
	case *types.Pointer:
		return copyName(u.Elem()) + "Pointer"
	case *types.Slice:
		return copyName(u.Elem()) + "Slice"
	case *types.Array:
		return copyName(u.Elem()) + "Array" + strconv.FormatInt(u.Len(), 10)
	case *types.Map:
		return copyName(u.Elem()) + "By" + copyName(u.Key())
	}
	return "Struct"
}

// structure takes a struct apart. JSON leaves out fields that are not exported, that are tagged so, and those that
// another one hides; whether one does is not decided here.
func (c *copier) structure(t types.Type, s *types.Struct) string {
	named, _ := t.(*types.Named)
	if named != nil {
		// Another version of the standard library may have more fields.
		if slices.Contains(c.open, named) || theContract().packages[packagePath(named)] != nil || c.isStandard(named) {
			return copyJSON
		}
		c.open = append(c.open, named)
		defer func() { c.open = c.open[:len(c.open)-1] }()
	}
	if !distinct(s, make(map[string]bool)) {
		return copyJSON
	}
	f := Copy{}
	plain := true
	for n := range s.NumFields() {
		field, own, ok := c.field(s.Field(n), s.Tag(n))
		switch {
		case !ok:
			return copyJSON
		case !own:
			plain = false // it is to be zero in the copy
			continue
		}
		plain = plain && field.Func == copyPlain && field.When == ""
		f.Fields = append(f.Fields, field)
	}
	switch {
	case plain:
		return copyPlain
	case !c.nameable(t):
		return copyJSON
	}
	return c.add(t, f)
}

// field says how a field is copied. own is false if JSON leaves it out, ok if it can be copied.
func (c *copier) field(v *types.Var, tag string) (f CopyField, own, ok bool) {
	name, options := jsonTag(tag)
	f.Name = v.Name()
	_, isStruct := types.Unalias(v.Type()).Underlying().(*types.Struct)
	switch {
	case name == "-" && options == nil || v.Name() == "_":
		return f, false, true
	case v.Embedded():
		if !isStruct || name != "" || isTime(v.Type()) || !v.Exported() && v.Pkg() != c.names.unit.pkg {
			return f, true, false
		}
	case !v.Exported():
		return f, false, true
	}
	if f.Func = c.of(v.Type()); f.Func == copyJSON {
		return f, true, false
	}
	for _, o := range options {
		switch o {
		case "omitempty":
			switch v.Type().Underlying().(type) {
			case *types.Slice, *types.Map:
				f.When = "len(v." + f.Name + ") > 0"
			}
		case "omitzero":
			p, isPointer := v.Type().Underlying().(*types.Pointer)
			switch {
			case isTime(v.Type()):
				f.When = "!v." + f.Name + ".IsZero()"
			case hasMethod(v.Type(), "IsZero"), isPointer && isTime(p.Elem()):
				return f, true, false
			}
		}
	}
	return f, true, true
}

// distinct reports whether no two fields of a struct, with those of the structs that it embeds, have one name in JSON.
func distinct(s *types.Struct, names map[string]bool) bool {
	for n := range s.NumFields() {
		v := s.Field(n)
		name, options := jsonTag(s.Tag(n))
		if name == "-" && options == nil {
			continue
		}
		if inner, ok := types.Unalias(v.Type()).Underlying().(*types.Struct); ok && v.Embedded() && name == "" {
			if !distinct(inner, names) {
				return false
			}
			continue
		}
		if !v.Exported() {
			continue
		}
		if name == "" {
			name = v.Name()
		}
		if names[name] {
			return false
		}
		names[name] = true
	}
	return true
}

// jsonTag returns the name and the options in a field's tag.
func jsonTag(tag string) (name string, options []string) {
	words := strings.Split(reflect.StructTag(tag).Get("json"), ",")
	if len(words) == 1 {
		return words[0], nil
	}
	return words[0], words[1:]
}

// nameable reports whether generated code can write the type.
func (c *copier) nameable(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return true
	case *types.Pointer:
		return c.nameable(t.Elem())
	case *types.Slice:
		return c.nameable(t.Elem())
	case *types.Array:
		return c.nameable(t.Elem())
	case *types.Map:
		return c.nameable(t.Key()) && c.nameable(t.Elem())
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if !c.nameable(arg) {
				return false
			}
		}
		pkg := t.Obj().Pkg()
		return pkg == c.names.unit.pkg || t.Obj().Exported() && !slices.Contains(strings.Split(pkg.Path(), "/"), "internal")
	case *types.Struct:
		for v := range t.Fields() {
			if !c.nameable(v.Type()) || !v.Exported() && v.Pkg() != c.names.unit.pkg {
				return false
			}
		}
		return true
	}
	return false
}

func packagePath(named *types.Named) string {
	if pkg := named.Obj().Pkg(); pkg != nil {
		return pkg.Path()
	}
	return ""
}

// text writes a nameable type as generated files do.
func (t *typeNames) text(typ types.Type) string {
	return types.TypeString(typ, func(pkg *types.Package) string {
		if pkg == t.unit.pkg {
			return ""
		}
		return t.importAs(pkg.Path(), pkg.Name())
	})
}
