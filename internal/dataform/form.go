// Package dataform says what JSON a Go type is stored as, so that a later version of the type can be
// compared with it: can it still read what was stored?
//
// It knows types only. Which types are stored, and where their forms are kept, others know.
package dataform

import (
	"fmt"
	"go/types"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Form is the form of a type's values in JSON.
type Form struct {
	// Kind is "string", "bool", "int", "number", "bytes", "time" or "any"; "list" or "map" of Elem; "struct" of
	// Fields; "text" or "json" for a type, Name, that encodes itself; "again" for the struct type Name within itself;
	// "unknown" for what could not be read.
	Kind   string
	Name   string
	Elem   *Form
	Fields []Field // by name
}

// Field is one field of a struct, by its name in JSON.
type Field struct {
	Name string
	Form Form
}

// Of returns the form of a type.
func Of(t types.Type) Form { return of(t, nil) }

func of(t types.Type, open []*types.Named) Form {
	t = types.Unalias(t)
	named, _ := t.(*types.Named)
	if named != nil && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Time" {
		return Form{Kind: "time"}
	}
	for _, own := range []struct{ method, kind string }{{"MarshalJSON", "json"}, {"MarshalText", "text"}} {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, own.method); obj != nil {
			return Form{Kind: own.kind, Name: typeName(t)}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return Form{Kind: basic(u)}
	case *types.Pointer:
		return of(u.Elem(), open) // null is read as the zero value
	case *types.Slice:
		if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
			return Form{Kind: "bytes"}
		}
		return composed("list", of(u.Elem(), open))
	case *types.Array:
		return composed("list", of(u.Elem(), open))
	case *types.Map:
		return composed("map", of(u.Elem(), open))
	case *types.Interface:
		return Form{Kind: "any"}
	case *types.Struct:
		if named != nil {
			if slices.Contains(open, named) {
				return Form{Kind: "again", Name: typeName(named)}
			}
			open = append(slices.Clip(open), named)
		}
		f := Form{Kind: "struct"}
		f.add(u, open)
		slices.SortFunc(f.Fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
		return f
	}
	return Form{Kind: "unknown"}
}

func composed(kind string, elem Form) Form { return Form{Kind: kind, Elem: &elem} }

// typeName is the name of a type without its package, which may move.
func typeName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name()
	}
	return "struct"
}

func basic(b *types.Basic) string {
	switch info := b.Info(); {
	case info&types.IsString != 0:
		return "string"
	case info&types.IsBoolean != 0:
		return "bool"
	case info&types.IsInteger != 0:
		return "int"
	case info&types.IsFloat != 0:
		return "number"
	}
	return "unknown"
}

// add adds the fields of a struct, those of structs that it embeds among them. Of two with one name
// the first one counts that is not inside another.
func (f *Form) add(s *types.Struct, open []*types.Named) {
	var inner []*types.Struct
	for n := range s.NumFields() {
		v := s.Field(n)
		tag := reflect.StructTag(s.Tag(n)).Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" {
			continue
		}
		if embedded, ok := embeddedStruct(v); ok && name == "" {
			inner = append(inner, embedded)
			continue
		}
		if !v.Exported() {
			continue
		}
		if name == "" {
			name = v.Name()
		}
		if slices.ContainsFunc(f.Fields, func(have Field) bool { return have.Name == name }) {
			continue
		}
		form := of(v.Type(), open)
		if slices.Contains(strings.Split(options, ","), "string") && slices.Contains([]string{"int", "number", "bool"}, form.Kind) {
			form.Kind = "quoted " + form.Kind
		}
		f.Fields = append(f.Fields, Field{name, form})
	}
	for _, s := range inner {
		f.add(s, open)
	}
}

func embeddedStruct(v *types.Var) (*types.Struct, bool) {
	if !v.Embedded() {
		return nil, false
	}
	t := types.Unalias(v.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	s, ok := t.Underlying().(*types.Struct)
	return s, ok
}

// String writes the form so that Parse reads it, in one line.
func (f Form) String() string {
	var b strings.Builder
	f.write(&b)
	return b.String()
}

func (f Form) write(b *strings.Builder) {
	switch f.Kind {
	case "list", "map":
		b.WriteString(f.Kind + "(")
		f.Elem.write(b)
		b.WriteString(")")
	case "text", "json", "again":
		fmt.Fprintf(b, "%s(%s)", f.Kind, strconv.Quote(f.Name))
	case "struct":
		b.WriteString("{")
		for n, field := range f.Fields {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(field.Name) + ": ")
			field.Form.write(b)
		}
		b.WriteString("}")
	default:
		b.WriteString(strings.Replace(f.Kind, " ", "-", 1))
	}
}
