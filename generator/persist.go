package generator

import (
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// Persist is a struct field that outlives its room's value.
type Persist struct {
	Name string   // under which it is stored
	Path []string // of fields, from the room type
	Kind string   // of field: which function of the runtime makes it

	pos diag.Position
	typ types.Type
}

// Kinds of persisted fields, by how the runtime finds out that one has changed.
const (
	persistValue = "Value" // by ==
	persistSlice = "Slice"
	persistMap   = "Map"
	persistJSON  = "JSON" // by encoding it
)

const (
	tagKey       = "party"
	tagPersist   = "persist"
	tagName      = "name"
	tagSuggested = "`party:\"persist\"` or `party:\"persist,name=NAME\"`"
)

const storedNameMust = "at most 100 letters, digits, underscores, hyphens and dots, beginning with a letter"

var storedName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,99}$`)

// persisted finds the tagged fields of a room type, those of embedded structs included.
func (r *roomType) persisted() []Persist {
	p := &persistFinder{roomType: r, names: make(map[string]Persist)}
	if s, ok := r.obj.Type().Underlying().(*types.Struct); ok {
		p.fields(s, nil, map[types.Type]bool{r.obj.Type(): true})
	}
	return p.found
}

type persistFinder struct {
	*roomType
	found []Persist
	names map[string]Persist
}

func (p *persistFinder) fields(s *types.Struct, path []string, seen map[types.Type]bool) {
	for n := range s.NumFields() {
		field := s.Field(n)
		to := append(slices.Clone(path), field.Name())
		if p.field(field, s.Tag(n), to) || !field.Embedded() {
			continue
		}
		of := types.Unalias(field.Type())
		inner, ok := of.Underlying().(*types.Struct)
		if !ok || seen[of] || types.Identical(of, theContract().room) {
			continue
		}
		seen[of] = true
		p.fields(inner, to, seen)
	}
}

// field adds a field if it is tagged, and reports whether it is.
func (p *persistFinder) field(field *types.Var, tag string, path []string) bool {
	value, ok := reflect.StructTag(tag).Lookup(tagKey)
	pos := p.prog.pos(field)
	if !ok {
		if strings.Contains(tag, tagKey+":") || strings.Contains(tag, tagKey+" :") {
			p.list.Errorf(pos, "field-tag", "the tag of field %s cannot be read", field.Name()).Hint = "write " + tagSuggested
		}
		return false
	}
	name, ok := p.tag(field, value, pos)
	if !ok {
		return true
	}
	switch {
	case field.Name() == "_":
		p.list.Errorf(pos, "field-type", "a field without a name cannot be persisted")
		return true
	case !p.reachable(path, field):
		p.list.Errorf(pos, "field-type", "field %s of an embedded type of another package is not exported, and generated code does not reach it", field.Name()).Hint = "export it"
		return true
	}
	e := encodable{list: p.list, prog: p.prog, pos: pos, seen: make(map[types.Type]bool)}
	if why := e.wrong(field.Type()); why != "" {
		p.list.Errorf(pos, "field-type", "field %s cannot be persisted: %s", field.Name(), why).Hint = "persist something that encoding/json writes and reads back, or keep it in Storage"
		return true
	}
	found := Persist{Name: name, Path: path, Kind: persistKind(field.Type()), pos: pos, typ: field.Type()}
	if first, ok := p.names[name]; ok {
		d := p.list.Errorf(pos, "duplicate-field", "two persisted fields of %s are stored as %q", p.name, name)
		d.Hint = "give one of them another name: " + tagSuggested
		d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
		return true
	}
	p.names[name] = found
	p.found = append(p.found, found)
	return true
}

// tag reads the tag's value and returns the name to store the field under.
func (p *persistFinder) tag(field *types.Var, value string, pos diag.Position) (string, bool) {
	words := strings.Split(value, ",")
	if words[0] != tagPersist {
		d := p.list.Errorf(pos, "field-tag", "unknown tag party:%q of field %s", value, field.Name())
		if d.Hint = diag.DidYouMean(words[0], []string{tagPersist}); d.Hint == "" {
			d.Hint = "write " + tagSuggested
		}
		return "", false
	}
	name := field.Name()
	for _, w := range words[1:] {
		key, v, valued := strings.Cut(w, "=")
		switch {
		case key != tagName || !valued:
			d := p.list.Errorf(pos, "field-tag", "unknown option %q in the tag of field %s", w, field.Name())
			d.Hint = "write " + tagSuggested
			return "", false
		case !storedName.MatchString(v):
			d := p.list.Errorf(pos, "field-tag", "name %q in the tag of field %s: %s", v, field.Name(), storedNameMust)
			d.Hint = "it is the name that the field had when it was stored first"
			return "", false
		}
		name = v
	}
	return name, true
}

// reachable reports whether generated code can name the field.
func (p *persistFinder) reachable(path []string, field *types.Var) bool {
	if field.Pkg() == p.obj.Pkg() {
		return true
	}
	return !slices.ContainsFunc(path, func(name string) bool { return name[0] >= 'a' && name[0] <= 'z' || name[0] == '_' })
}

// persistKind chooses the cheapest way to notice a change.
func persistKind(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		if isPlain(u.Elem(), nil) {
			return persistSlice
		}
	case *types.Map:
		if isPlain(u.Key(), nil) && isPlain(u.Elem(), nil) {
			return persistMap
		}
	default:
		if isPlain(t, nil) {
			return persistValue
		}
	}
	return persistJSON
}

// isPlain reports whether == compares all that there is to values of the type:
// no pointer, interface or channel is in it.
func isPlain(t types.Type, seen []types.Type) bool {
	if isTime(t) {
		return true // what it points to does not change
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.Invalid && u.Kind() != types.UnsafePointer
	case *types.Array:
		return isPlain(u.Elem(), seen)
	case *types.Struct:
		if slices.Contains(seen, t) {
			return false // go build says that it is infinite
		}
		for f := range u.Fields() {
			if !isPlain(f.Type(), append(seen, t)) {
				return false
			}
		}
		return true
	}
	return false
}

func isTime(t types.Type) bool { return isNamed(t, timePath, "Time") }

// isNumber reports whether t is json.Number, a string that is encoded as a number.
func isNumber(t types.Type) bool { return isNamed(t, "encoding/json", "Number") }

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && packagePath(named) == path
}
