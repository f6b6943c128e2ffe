package generator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"go/types"
	"maps"
	"slices"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// Model is what an annotated package means: plain data, from which the files
// are printed. Only its exported fields have an effect on them.
type Model struct {
	Package string // its name
	HasMain bool   // it has a func main of its own

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
	Errors      []KnownError

	Embed   *Embed // nil: nothing goes into the binary
	Imports Imports
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

	pos      diag.Position // of the type's name
	partyPos diag.Position // of what gave the party its name
	mainPos  diag.Position // of the annotation
}

// Before is a function that sees what comes from outside before a room does.
type Before struct {
	Party    string // empty: every party without a function of its own
	Function string

	pos diag.Position
}

// Cron is a function that runs on a schedule of the manifest.
type Cron struct {
	Name     string
	Function string

	pos diag.Position
}

// Imports are the names of imported packages in generated files, chosen so
// that they do not collide with what the package declares.
type Imports struct {
	Party, Server, Embed, FS, Context, SocketIO string
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
func newModel(p *program, ann *annotated, o Options, list *diag.List) *Model {
	own := p.units[""]
	scope := own.pkg.Scope()
	m := &Model{Package: p.src.name}
	if f, ok := scope.Lookup("main").(*types.Func); ok && m.Package == "main" {
		m.HasMain = f != nil
	}
	taken := func(name string) bool { return scope.Lookup(name) != nil }
	written := &typeNames{unit: own, taken: taken, imports: make(map[string]string)}
	for _, decl := range ann.rooms {
		if r := newRoom(p, decl, ann, written, list); r != nil {
			nameRoom(r, decl, p, list)
			m.Rooms = append(m.Rooms, *r)
		}
	}
	m.addMounts(p, ann, list)
	strayMethods(p, ann, list)
	m.Events = events(p, ann, list)
	v := &validator{model: m, list: list, manifest: o.Manifest, pkg: diag.Position{File: cmp.Or(o.File, o.Dir)}}
	v.override()
	v.rooms()
	m.addFunctions(p, ann, v)
	v.crons()
	v.declared(p, scope)
	if m.Package == "main" {
		m.Embed = findEmbed(o, list)
	}
	m.Imports = newImports(taken)
	m.TypeImports = written.list()
	if m.calls() {
		m.Errors = knownErrors(p)
	}

	slices.SortFunc(m.Rooms, func(a, b Room) int { return cmp.Compare(a.Party, b.Party) })
	byParty := func(a, b Before) int { return cmp.Compare(a.Party, b.Party) }
	slices.SortFunc(m.BeforeConnect, byParty)
	slices.SortFunc(m.BeforeRequest, byParty)
	slices.SortFunc(m.Crons, func(a, b Cron) int { return cmp.Compare(a.Name, b.Name) })
	return m
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
	}
}

// addFunctions adds the annotated functions that have the right signature.
func (m *Model) addFunctions(p *program, ann *annotated, v *validator) {
	var fetch, socket []Before
	for _, decl := range ann.functions {
		obj, ok := p.units[""].info.Defs[decl.decl.Name].(*types.Func)
		if !ok {
			continue // declared twice, which go build reports
		}
		name, want := obj.Name(), theContract().functions[decl.of.verb]
		if !types.Identical(obj.Type(), want) {
			d := v.list.Errorf(p.pos(obj), "wrong-signature", "%s has the wrong signature for %s%s", name, prefix, decl.of.verb)
			d.Hint = "want func " + name + written(want, decl.file)
		}
		f := Before{Party: decl.operand.text, Function: name, pos: p.src.pos(decl.pos)}
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
				m.Crons = v.cron(m.Crons, Cron{Name: f.Party, Function: name, pos: f.pos})
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
