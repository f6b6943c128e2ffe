package manifest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
)

// field is one key of an object.
type field struct {
	name string
	doc  string // for the schema: one or two sentences
	of   shape
	// def is the default in normal form, filled in where the key is not there.
	// Nil: there is none.
	def      any
	required bool
}

// object has fixed keys.
type object struct{ fields []field }

func (object) kinds() []hujson.Kind { return []hujson.Kind{'{'} }
func (object) wants() string        { return "an object" }

func (o object) names() []string {
	var names []string
	for _, f := range o.fields {
		names = append(names, f.name)
	}
	return names
}

func (o object) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	normal, present := make(map[string]any), make(map[string]bool)
	for name, m := range r.members(at, v) {
		present[name] = true
		i := slices.IndexFunc(o.fields, func(f field) bool { return f.name == name })
		if i < 0 {
			where := ""
			if len(at) > 0 {
				where = " in " + label(at)
			}
			d := r.errorf(&m.Name, "unknown-key", "unknown key %s%s", quote(name), where)
			if d.Hint = diag.DidYouMean(name, o.names()); d.Hint == "" {
				d.Hint = "the keys are " + strings.Join(o.names(), ", ")
			}
			continue
		}
		if n, ok := r.value(o.fields[i].of, child(at, name), &m.Value); ok && n != nil {
			normal[name] = n
		}
	}
	complete := true
	for _, f := range o.fields {
		if !f.required {
			continue
		}
		if !present[f.name] {
			r.errorf(v, "missing-key", "%s needs the key %q", label(at), f.name)
		}
		if normal[f.name] == nil {
			complete = false
		}
	}
	return o.filled(normal), complete
}

// filled adds the defaults that are not there.
func (o object) filled(normal map[string]any) map[string]any {
	for _, f := range o.fields {
		if _, ok := normal[f.name]; !ok && f.def != nil {
			normal[f.name] = f.def
		}
	}
	return normal
}

func (o object) schema() node {
	n := node{Type: "object", Properties: new(properties), AdditionalProperties: false}
	for _, f := range o.fields {
		p := f.of.schema()
		p.Description, p.Default = f.doc, f.def
		n.Properties.add(f.name, p)
		if f.required {
			n.Required = append(n.Required, f.name)
		}
	}
	return n
}

// dict has any keys that fit, all with values of one shape.
type dict struct {
	key text
	of  shape
}

func (dict) kinds() []hujson.Kind { return []hujson.Kind{'{'} }
func (dict) wants() string        { return "an object" }

func (s dict) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	normal := make(map[string]any)
	for name, m := range r.members(at, v) {
		if wrong := s.key.wrong(name); wrong != "" {
			r.errorf(&m.Name, "bad-value", "a key of %s %s, not %s", label(at), wrong, quote(name))
			continue
		}
		if n, ok := r.value(s.of, child(at, name), &m.Value); ok {
			normal[name] = n
		}
	}
	return normal, true
}

func (s dict) schema() node {
	n := node{Type: "object", AdditionalProperties: s.of.schema()}
	if s.key.pattern != nil {
		n.PropertyNames = &node{Pattern: s.key.pattern.String()}
	}
	return n
}

// list is any number of values of one shape, at least min. If unique is not
// empty, the values are objects, and no two have the same string under that key.
type list struct {
	of     shape
	min    int64
	unique string
}

func (list) kinds() []hujson.Kind { return []hujson.Kind{'['} }
func (list) wants() string        { return "a list" }

func (s list) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	normal, seen := []any{}, make(map[string]diag.Position)
	elements := v.Value.(*hujson.Array).Elements
	for i := range elements {
		at := child(at, strconv.Itoa(i))
		r.places[joinPath(at)] = place{value: r.pos(elements[i].StartOffset)}
		n, ok := r.value(s.of, at, &elements[i])
		if !ok {
			continue
		}
		normal = append(normal, n)
		if s.unique == "" {
			continue
		}
		id, pos := n.(map[string]any)[s.unique].(string), r.places[joinPath(child(at, s.unique))].value
		if first, ok := seen[id]; ok {
			d := r.list.Errorf(pos, "duplicate-"+s.unique, "duplicate %s %s", s.unique, quote(id))
			d.Related = []diag.Related{{Pos: first, Message: "first given here"}}
			continue
		}
		seen[id] = pos
	}
	if int64(len(elements)) < s.min {
		r.errorf(v, "bad-value", "%s must not be empty", label(at))
		return nil, false
	}
	return normal, true
}

func (s list) schema() node {
	items := s.of.schema()
	n := node{Type: "array", Items: &items}
	if s.min > 0 {
		n.MinItems = &s.min
	}
	return n
}

// either is a value of one of several shapes that differ in kind.
type either []shape

func (s either) kinds() []hujson.Kind {
	var kinds []hujson.Kind
	for _, alt := range s {
		kinds = append(kinds, alt.kinds()...)
	}
	return kinds
}

func (s either) wants() string {
	var wants []string
	for _, alt := range s {
		wants = append(wants, strings.Split(alt.wants(), " or ")...)
	}
	return or(wants)
}

func (s either) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	for _, alt := range s {
		if slices.Contains(alt.kinds(), v.Value.Kind()) {
			return alt.check(r, at, v)
		}
	}
	panic("manifest: checked a value of a kind that its shape does not have")
}

func (s either) schema() node {
	var n node
	for _, alt := range s {
		n.AnyOf = append(n.AnyOf, alt.schema())
	}
	return n
}

// short is another way to write a value: normal turns its own normal form
// into that of the long way.
type short struct {
	shape
	normal func(any) any
}

func (s short) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	n, ok := s.shape.check(r, at, v)
	if !ok {
		return nil, false
	}
	return s.normal(n), true
}
