package generator

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// Binding is a method by which a program reaches a party of another package. It is named after
// the room type; of several types with one name, after the party.
type Binding struct {
	Method string
	Alias  string // under which the package is imported
	Type   string // the room type
	Party  string
}

// serves reports whether a program has to import the part.
func (m *Model) serves() bool {
	return len(m.Rooms)+len(m.BeforeConnect)+len(m.BeforeRequest)+len(m.Crons) > 0 || m.Fetch != "" || m.Socket != ""
}

// bind chooses the names under which generated code imports the parts, and those of the bindings to
// their parties. Types that are not exported cannot be reached.
func (m *Model) bind(written *typeNames) {
	m.aliases(written)
	types := make(map[string]int)
	for r := range m.AllRooms() {
		types[r.Type]++
	}
	used := make(map[string]bool)
	for i := range m.Rooms {
		used[m.Rooms[i].Type] = true
	}
	for _, part := range m.Parts {
		for i := range part.Rooms {
			r := &part.Rooms[i]
			if r.Mount != "" || !ast.IsExported(r.Type) {
				continue
			}
			name := r.Type
			if types[name] > 1 {
				name = camel(r.Party)
			}
			name = fresh(func(s string) bool { return used[s] }, name, "_")
			used[name], written.used[part.Path] = true, true
			m.Bindings = append(m.Bindings, Binding{Method: name, Alias: part.Alias, Type: r.Type, Party: r.Party})
		}
	}
	slices.SortFunc(m.Bindings, func(a, b Binding) int { return strings.Compare(a.Party, b.Party) })
}

// aliases names the imports of the parts: by the package's name, with its folder's parent in front
// where several packages have that name or something else does.
func (m *Model) aliases(written *typeNames) {
	count := make(map[string]int)
	for _, part := range m.Parts {
		if part.serves() {
			count[part.Package]++
		}
	}
	i := m.Imports
	fixed := []string{i.Party, i.Server, i.Embed, i.FS, i.Context, i.SocketIO, i.Isolate}
	used := func(name string) bool {
		return written.taken(name) || reservedImport[name] || reservedParam[name] || slices.Contains(fixed, name) || slices.Contains(sortedValues(written.imports), name)
	}
	for _, part := range m.Parts {
		if !part.serves() {
			continue
		}
		if name, ok := written.imports[part.Path]; ok {
			part.Alias = name // a signature mentions it
			continue
		}
		name := part.Package
		if count[name] > 1 || used(name) {
			if longer := identifier(path.Base(path.Dir(part.Path))) + name; token.IsIdentifier(longer) {
				name = longer
			}
		}
		part.Alias = fresh(used, name, "_")
		written.imports[part.Path] = part.Alias
	}
}

// reservedImport are names that mean something else where bindings are printed.
var reservedImport = map[string]bool{"p": true, "name": true, "opts": true, "from": true, "init": true, "main": true, "assets": true}

// identifier leaves of a path element what can stand in an identifier.
func identifier(element string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, element)
}

// camel returns the identifier for a party: http-room is HttpRoom.
func camel(party string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(party, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if s := b.String(); s[0] >= 'A' {
		return s
	}
	return "Party" + b.String()
}
