package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
)

// AppendMigration returns a manifest with m as the last of its migrations. All
// else stays as it is, comments and formatting included. It fails when data is
// no manifest or has the tag already, and when m is not valid.
func AppendMigration(data []byte, m Migration) ([]byte, error) {
	out, err := insert(data, "migrations", '[', m.source())
	if err != nil {
		return nil, fmt.Errorf("append migration %q: %w", m.Tag, err)
	}
	return out, nil
}

// AddParty returns a manifest with one more party. All else stays as it is,
// comments and formatting included. It fails when data is no manifest or has the
// party already, and when name or goType is not valid.
func AddParty(data []byte, name, goType string) ([]byte, error) {
	out, err := insert(data, "parties", '{', str(name)+": "+str(goType))
	if err != nil {
		return nil, fmt.Errorf("add party %q: %w", name, err)
	}
	return out, nil
}

// source returns a migration as it is written into a manifest, on one line.
func (m Migration) source() string {
	words := func(names []string) string {
		var s []string
		for _, n := range names {
			s = append(s, str(n))
		}
		return "[" + strings.Join(s, ", ") + "]"
	}
	parts := []string{`"tag": ` + str(m.Tag)}
	if len(m.New) > 0 {
		parts = append(parts, `"new": `+words(m.New))
	}
	if len(m.Renamed) > 0 {
		var s []string
		for _, r := range m.Renamed {
			s = append(s, fmt.Sprintf(`{"from": %s, "to": %s}`, str(r.From), str(r.To)))
		}
		parts = append(parts, `"renamed": [`+strings.Join(s, ", ")+"]")
	}
	if len(m.Deleted) > 0 {
		parts = append(parts, `"deleted": `+words(m.Deleted))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// str returns a JSON string.
func str(s string) string { return string(hujson.String(s)) }

// insert adds an element or a member to the end of the list or object that is
// the value of a key of the manifest. The key is added if it is not there.
func insert(data []byte, key string, kind hujson.Kind, item string) ([]byte, error) {
	r := newReader("", data)
	top, ok := r.syntax(data)
	if !ok {
		d := r.list[0]
		return nil, fmt.Errorf("line %d: %s", d.Pos.Line, d.Message)
	}
	object, ok := top.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("the manifest is %s", kindName(top.Value))
	}
	e := newEditor(data, object)
	i := slices.IndexFunc(object.Members, func(m hujson.ObjectMember) bool {
		return m.Name.Value.(hujson.Literal).String() == key
	})
	switch {
	case i < 0:
		open, end := "[", "]"
		if kind == '{' {
			open, end = "{", "}"
		}
		// Around the new value goes what is around its neighbours.
		if e.ownLine(top.EndOffset-1) || len(object.Members) == 0 {
			open, end = open+e.eol+e.unit+e.unit, e.eol+e.unit+end
		}
		e.add(&top, str(key)+": "+open+item+end)
	case object.Members[i].Value.Value.Kind() == kind:
		e.add(&object.Members[i].Value, item)
	default:
		return nil, fmt.Errorf("%q is %s", key, kindName(object.Members[i].Value.Value))
	}
	if err := newProblem(data, []byte(e.text)); err != nil {
		return nil, err
	}
	return []byte(e.text), nil
}

// newProblem returns what is wrong with a manifest that was not wrong with it before.
func newProblem(before, after []byte) error {
	_, known := Parse("", before)
	_, found := Parse("", after)
	for _, d := range found {
		if !slices.ContainsFunc(known, func(k diag.Diagnostic) bool { return k.Message == d.Message }) {
			return errors.New(d.Message)
		}
	}
	return nil
}
