package generator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"go/types"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/dataform"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// Model is what an annotated package means: plain data, from which the files
// are printed. Only its exported fields have an effect on them.
type Model struct {
	Package string // its name
	Path    string // import path, as far as it is known; empty for a program
	HasMain bool   // it has a func main of its own

	// Parts are the other packages of the module that a program serves, by import path. They have none.
	Parts    []*Model
	Alias    string    // of a part, in the program's generated files; empty: it is not imported
	Bindings []Binding // of a program, to the parties of its parts

	Rooms         []Room   // by party name
	Fetch         string   // function; empty: none
	Socket        string   // function; empty: none
	BeforeConnect []Before // by party name
	BeforeRequest []Before // by party name
	Crons         []Cron   // by name
	Migrations    []manifest.Migration
	Client        *Client // nil: no module for clients is wanted

	Events      []Event
	TypeImports []TypeImport // of Methods and Messages, by path
	Copies      []Copy       // what Methods need
	Errors      []KnownError
	Data        []dataform.Record // what persisted fields have been stored as

	Embed   *Embed // nil: nothing goes into the binary
	Imports Imports

	dir   string
	types *universe // what its types are of
}

// Room is one kind of room.
type Room struct {
	Party     string // its name
	Type      string // Go type name
	Main      bool
	Hibernate bool
	Embed     []string // fields that lead to the embedded party.Room
	Callbacks []string // names of the methods
	Persist   []Persist
	Migrate   []DataMigration // ascending
	Mount     string          // path of a Socket.IO server, which is the function Type; empty for a room type
	SocketIO  bool            // each room has a Socket.IO server of its own
	Options   string          // package variable with the options of the Socket.IO server; may be empty
	Methods   []Method        // that others may call
	Messages  []TypedMessage

	label    string        // the type, with its package if it is another one than that asked for
	pos      diag.Position // of the type's name
	partyPos diag.Position // of what gave the party its name
	mainPos  diag.Position // of the annotation
}

// Before is a function that sees what comes from outside before a room does.
type Before struct {
	Party    string // empty: every party without a function of its own
	Function string

	label string // as that of Room
	pos   diag.Position
}

// Cron is a function that runs on a schedule of the manifest.
type Cron struct {
	Name     string
	Function string

	label string // as that of Room
	pos   diag.Position
}

// Imports are the names of imported packages in generated files, chosen so
// that they do not collide with what the package declares.
type Imports struct {
	Party, Server, Embed, FS, Context, SocketIO, Isolate string
}

// Fingerprint is the same for two models exactly if the same files are printed for them.
func (m *Model) Fingerprint() string {
	data, err := json.Marshal(m)
	if err != nil {
		panic("generator: encode model: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// newModel resolves what was found and validates it. Whatever is wrong is left out of the model.
// The first program is the one that was asked for. text is that of a manifest which cannot be embedded.
func newModel(programs []*program, o Options, text string, list *diag.List) *Model {
	var all []*Model
	var written []*typeNames
	for _, p := range programs {
		m, names := newPart(p, list)
		all, written = append(all, m), append(written, names)
	}
	m := all[0]
	m.Parts = all[1:]
	v := &validator{all: all, list: list, manifest: o.Manifest, pkg: diag.Position{File: cmp.Or(o.File, o.Dir)}, searched: programs[0].where.module != ""}
	v.override()
	v.rooms()
	for i, p := range programs {
		all[i].addFunctions(p, v)
	}
	v.crons()
	v.events()
	for i, p := range programs {
		v.declared(all[i], p)
	}
	if m.Package == "main" {
		m.Embed = findEmbed(o, text, list)
	}
	m.bind(written[0])
	for i, p := range programs {
		all[i].TypeImports = written[i].list()
		if all[i].calls() {
			all[i].Errors = knownErrors(p, all[i].Path)
		}
		all[i].sort()
		all[i].recordData(o.Manifest, list)
	}
	return m
}

// newPart resolves what one package declares.
func newPart(p *program, list *diag.List) (*Model, *typeNames) {
	scope := p.own.pkg.Scope()
	m := &Model{Package: p.src.name, Path: p.path, dir: p.src.dir, types: p.universe}
	if m.Package == "main" {
		_, m.HasMain = scope.Lookup("main").(*types.Func)
	} else if abs, err := filepath.Abs(p.src.dir); m.Path == "" && err == nil {
		m.Path = p.where.importPath(abs)
	}
	taken := func(name string) bool { return scope.Lookup(name) != nil }
	written := &typeNames{unit: p.own, taken: taken, imports: make(map[string]string), used: make(map[string]bool)}
	written.copies = newCopier(p.universe, written)
	for _, decl := range p.ann.rooms {
		if r := newRoom(p, decl, p.ann, written, list); r != nil {
			nameRoom(r, decl, p, list)
			m.Rooms = append(m.Rooms, *r)
		}
	}
	m.addMounts(p, p.ann, list)
	for i := range m.Rooms {
		m.Rooms[i].label = p.label(m.Rooms[i].Type)
	}
	strayMethods(p, p.ann, list)
	m.Events = events(p, p.ann, list)
	m.Imports = newImports(taken)
	m.Copies = written.copies.functions(m.Rooms)
	return m, written
}

// label is a name of the package, for messages: in another package than that asked for, with
// its path in the module, which the manifest understands.
func (p *program) label(name string) string {
	switch p.path {
	case "":
		return name
	case p.where.module:
		return p.src.name + "." + name
	}
	return strings.TrimPrefix(p.path, p.where.module+"/") + "." + name
}

func (m *Model) sort() {
	slices.SortFunc(m.Rooms, func(a, b Room) int { return cmp.Compare(a.Party, b.Party) })
	byParty := func(a, b Before) int { return cmp.Compare(a.Party, b.Party) }
	slices.SortFunc(m.BeforeConnect, byParty)
	slices.SortFunc(m.BeforeRequest, byParty)
	slices.SortFunc(m.Crons, func(a, b Cron) int { return cmp.Compare(a.Name, b.Name) })
}

// All yields the model itself and its parts.
func (m *Model) All() iter.Seq[*Model] {
	return func(yield func(*Model) bool) {
		for _, part := range append([]*Model{m}, m.Parts...) {
			if !yield(part) {
				return
			}
		}
	}
}

// AllRooms yields the rooms of the model and of its parts.
func (m *Model) AllRooms() iter.Seq[*Room] {
	return func(yield func(*Room) bool) {
		for part := range m.All() {
			for i := range part.Rooms {
				if !yield(&part.Rooms[i]) {
					return
				}
			}
		}
	}
}

// nameRoom gives a room the name in its annotation, or else that of its type.
func nameRoom(r *Room, decl roomDecl, p *program, list *diag.List) {
	r.partyPos, r.mainPos = r.pos, p.src.pos(decl.pos)
	if decl.has(optionMain) {
		r.mainPos = p.src.pos(decl.at(decl.options[optionMain]))
	}
	if decl.has(optionName) {
		w := decl.options[optionName]
		r.Party, r.partyPos = w.text, p.src.pos(decl.at(w))
		return
	}
	r.Party = kebab(r.Type)
}

// newImports chooses the names under which generated files import packages.
func newImports(taken func(string) bool) Imports {
	name := func(usual, fallback string) string {
		if !taken(usual) {
			return usual
		}
		return fresh(taken, fallback, "_")
	}
	return Imports{
		SocketIO: name("socketio", "partysocketio"),
		Party:    name("party", "partyruntime"),
		Server:   name("server", "partyserver"),
		Embed:    name("embed", "goembed"),
		FS:       name("fs", "iofs"),

		Context: name("context", "gocontext"),
		Isolate: name("isolate", "partyisolate"),
	}
}

// addFunctions adds the annotated functions that have the right signature.
func (m *Model) addFunctions(p *program, v *validator) {
	var fetch, socket []Before
	for _, decl := range p.ann.functions {
		obj, ok := p.own.info.Defs[decl.decl.Name].(*types.Func)
		if !ok {
			continue // declared twice, which go build reports
		}
		name, want := obj.Name(), theContract().functions[decl.of.verb]
		if !types.Identical(obj.Type(), want) {
			d := v.list.Errorf(p.pos(obj), "wrong-signature", "%s has the wrong signature for %s%s", name, prefix, decl.of.verb)
			d.Hint = "want func " + name + written(want, decl.file)
		}
		f := Before{Party: decl.operand.text, Function: name, label: p.label(name), pos: p.src.pos(decl.pos)}
		if f.Party != "" {
			f.pos = p.src.pos(decl.at(decl.operand))
		}
		switch decl.of.verb {
		case verbFetch:
			fetch = v.function(fetch, f, decl.of)
		case verbSocket:
			socket = v.function(socket, f, decl.of)
		case verbBeforeConnect:
			m.BeforeConnect = v.function(m.BeforeConnect, f, decl.of)
		case verbBeforeRequest:
			m.BeforeRequest = v.function(m.BeforeRequest, f, decl.of)
		case verbCron:
			if f.Party != "" {
				m.Crons = v.cron(m.Crons, Cron{Name: f.Party, Function: name, label: f.label, pos: f.pos})
			}
		}
	}
	for _, f := range fetch {
		m.Fetch = f.Function
	}
	for _, f := range socket {
		m.Socket = f.Function
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
