package generator

import (
	"fmt"
	"go/types"
	"reflect"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// encodable finds out whether encoding/json writes and reads back values of a
// type. Types that are not known, because their package cannot be found, are taken to be.
type encodable struct {
	list *diag.List
	prog *program
	pos  diag.Position // of what is asked about, for warnings
	seen map[types.Type]bool
	// standard says that a struct of the standard library is being looked at: as a part of one, what has no
	// exported field is left out, like the password in a url.URL.
	standard bool
}

// wrong says why values of a type cannot be encoded; "" if they can.
func (e *encodable) wrong(t types.Type) string {
	if e.seen[t] || isTime(t) || marshals(t) {
		return ""
	}
	e.seen[t] = true
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil {
		if path := named.Obj().Pkg().Path(); path == runtimePath || path == httpPath || path == contextPath {
			return "a " + e.prog.typeString(t) + " is no data"
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsComplex != 0 || u.Kind() == types.UnsafePointer {
			return "a " + u.Name() + " has no form in JSON"
		}
	case *types.Pointer:
		return e.wrong(u.Elem())
	case *types.Slice:
		return e.wrong(u.Elem())
	case *types.Array:
		return e.wrong(u.Elem())
	case *types.Chan:
		return "a channel has no form in JSON"
	case *types.Signature:
		return "a function has no form in JSON"
	case *types.Interface:
		if u.NumMethods() > 0 {
			return fmt.Sprintf("what is in the interface %s cannot be read back: its type is lost", e.prog.typeString(t))
		}
	case *types.Map:
		if why := e.wrongKey(u.Key()); why != "" {
			return why
		}
		return e.wrong(u.Elem())
	case *types.Struct:
		return e.wrongStruct(t, u)
	}
	return ""
}

func (e *encodable) wrongStruct(t types.Type, s *types.Struct) string {
	standard := e.prog.isStandard(t)
	defer func(before bool) { e.standard = before }(e.standard)
	written := 0
	var left []*types.Var
	for n := range s.NumFields() {
		field := s.Field(n)
		name, _, _ := strings.Cut(reflect.StructTag(s.Tag(n)).Get("json"), ",")
		switch {
		case name == "-" || field.Name() == "_":
			continue
		case !field.Exported() && !field.Embedded():
			left = append(left, field)
			continue
		}
		written++
		e.standard = standard
		if why := e.wrong(field.Type()); why != "" {
			return fmt.Sprintf("%s, in field %s of %s", why, field.Name(), e.prog.typeString(t))
		}
	}
	if s.NumFields() > 0 && written == 0 && len(left) > 0 && !e.standard {
		return fmt.Sprintf("%s has no exported field, so nothing of it would be stored", e.prog.typeString(t))
	}
	if standard {
		return "" // whoever wrote it has thought of that
	}
	for _, field := range left {
		if e.prog.told[field] {
			continue
		}
		e.prog.told[field] = true
		d := e.list.Warnf(e.prog.pos(field), "field-left-out", "field %s of %s is not exported, so encoding/json leaves it out", field.Name(), e.prog.typeString(t))
		d.Hint = "export it, or tag it `json:\"-\"` if that is meant"
		if e.pos.Line > 0 {
			d.Related = []diag.Related{{Pos: e.pos, Message: "it is encoded for this"}}
		}
	}
	return ""
}

func (e *encodable) wrongKey(t types.Type) string {
	if marshals(t) {
		return ""
	}
	if b, ok := t.Underlying().(*types.Basic); ok && b.Kind() != types.Invalid && b.Info()&(types.IsString|types.IsInteger) == 0 {
		return fmt.Sprintf("a map with keys of type %s has no form in JSON", e.prog.typeString(t))
	}
	switch t.Underlying().(type) {
	case *types.Basic:
		return ""
	}
	return fmt.Sprintf("a map with keys of type %s has no form in JSON", e.prog.typeString(t))
}

// marshals reports whether a type says itself how it is encoded.
func marshals(t types.Type) bool {
	return hasMethod(t, "MarshalJSON") || hasMethod(t, "MarshalText")
}

func hasMethod(t types.Type, name string) bool {
	if _, ok := t.(*types.Pointer); !ok {
		t = types.NewPointer(t)
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}
