package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// validator compares the parts of a model with one another and with the manifest.
type validator struct {
	all      []*Model // the package that was asked for, and the others
	list     *diag.List
	manifest *Manifest     // nil: there is none
	pkg      diag.Position // the package as a whole

	functions map[string][]Before // seen so far, by verb
	seenCrons []Cron
	searched  bool // the module too
}

// override applies the manifest's party names.
func (v *validator) override() {
	if v.manifest == nil {
		return
	}
	named := make(map[*Room]string)
	for _, party := range sortedKeys(v.manifest.Parties) {
		entry := v.manifest.Parties[party]
		if must := checkPartyName(party); must != "" {
			v.list.Errorf(entry.Pos, "party-name", "party name %q must be %s", party, must)
		}
		r := v.roomOf(party, entry)
		if r == nil {
			continue
		}
		if first, ok := named[r]; ok {
			d := v.list.Errorf(entry.Pos, "type-named-twice", "room type %s has two names: %q and %q", entry.Type, first, party)
			d.Related = []diag.Related{{Pos: v.manifest.Parties[first].Pos, Message: fmt.Sprintf("%q is given here", first)}}
			continue
		}
		named[r] = party
		r.Party, r.partyPos = party, entry.Pos
	}
}

// roomOf finds the room type that an entry of the manifest means: one of the package that was asked for,
// or else the only one of that name.
func (v *validator) roomOf(party string, entry PartyEntry) *Room {
	qualifier, name := "", entry.Type
	if dot := strings.LastIndex(name, "."); dot >= 0 {
		qualifier, name = name[:dot], name[dot+1:]
	}
	var found []*Room
	var labels []string
	for n, m := range v.all {
		for i := range m.Rooms {
			r := &m.Rooms[i]
			switch {
			case r.Type != name || qualifier != "" && qualifier != m.Package && qualifier != m.Path && !strings.HasSuffix(m.Path, "/"+qualifier):
			case n == 0:
				return r
			default:
				found, labels = append(found, r), append(labels, m.Path+"."+r.Type)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		d := v.list.Errorf(entry.Pos, "unknown-type", "party %q: there is no room type %s", party, entry.Type)
		d.Hint = unknownName(entry.Type, v.types(), "")
		if d.Hint == "" || !strings.HasPrefix(d.Hint, "did") {
			d.Hint = strings.TrimPrefix(d.Hint+"\nannotate the type with //party:room", "\n")
		}
	default:
		d := v.list.Errorf(entry.Pos, "ambiguous-type", "party %q: there are %d room types %s", party, len(found), entry.Type)
		d.Hint = "name one of them with its package: " + strings.Join(labels, ", ")
		for _, r := range found {
			d.Related = append(d.Related, diag.Related{Pos: r.pos, Message: r.label + " is here"})
		}
	}
	return nil
}

// allRooms returns the rooms of all packages.
func (v *validator) allRooms() []*Room {
	var rooms []*Room
	for _, m := range v.all {
		for i := range m.Rooms {
			rooms = append(rooms, &m.Rooms[i])
		}
	}
	return rooms
}

func (v *validator) types() []string {
	var names []string
	for _, r := range v.allRooms() {
		names = append(names, r.label)
	}
	return names
}

func (v *validator) parties() []string {
	var names []string
	for _, r := range v.allRooms() {
		names = append(names, r.Party)
	}
	slices.Sort(names)
	return names
}

// rooms checks what holds for all rooms together, and finds the main one.
func (v *validator) rooms() {
	rooms := v.allRooms()
	// A mistake in the annotation is reason enough for there being none.
	if len(rooms) == 0 && !v.list.HasErrors() {
		d := v.list.Errorf(v.pkg, "no-rooms", "%s", v.nothing())
		d.Hint = "annotate one:\n" + exampleRoom
	}
	if own := v.all[0]; len(rooms) == 1 && len(own.Rooms) == 1 && own.Package == "main" {
		rooms[0].Main = true // of other packages the runtime says so: the next program may have more rooms
	}
	var main *Room
	names := make(map[string]*Room)
	for _, r := range rooms {
		if r.Main {
			if main != nil {
				d := v.list.Errorf(r.mainPos, "two-mains", "%s is the main party as well as %s", r.label, main.label)
				d.Hint = "one room type answers under /party/:room"
				d.Related = []diag.Related{{Pos: main.mainPos, Message: main.label + " is main"}}
			} else {
				main = r
			}
		}
		if r.Party == "" {
			d := v.list.Errorf(r.pos, "party-name", "the name of type %s gives no name for URLs", r.Type)
			d.Hint = prefix + verbRoom + " name=NAME gives it one of " + checkPartyName("")
			continue
		}
		if r.Party == "main" && !r.Main {
			d := v.list.Errorf(r.partyPos, "party-name", `party name "main" stands for the main party, and %s is not main`, r.Type)
			d.Hint = "write " + prefix + verbRoom + " " + optionMain + ", or choose another name"
		}
		key := strings.ToLower(r.Party)
		if first := names[key]; first != nil {
			d := v.list.Errorf(r.partyPos, "duplicate-party", "party %q is both %s and %s", r.Party, first.label, r.label)
			d.Hint = prefix + verbRoom + " name=NAME gives one of them another name"
			if strings.Contains(r.label, ".") {
				d.Hint += fmt.Sprintf("\nor in party.json: \"parties\": {\"NAME\": %q}", r.label)
			}
			d.Related = []diag.Related{{Pos: first.partyPos, Message: "the first one"}}
			continue
		}
		names[key] = r
	}
}

// function adds f to fs, unless there is one for its party or the party is unknown.
func (v *validator) function(fs []Before, f Before, of *annotation) []Before {
	if f.Party != "" && !slices.Contains(v.parties(), f.Party) {
		d := v.list.Errorf(f.pos, "unknown-party", "there is no party %q", f.Party)
		d.Hint = unknownName(f.Party, v.parties(), "")
		return fs
	}
	for _, first := range v.functions[of.verb] {
		if first.Party == f.Party {
			text := fmt.Sprintf("%s%s is above two functions, %s and %s", prefix, strings.TrimSpace(of.verb+" "+f.Party), first.label, f.label)
			d := v.list.Errorf(f.pos, "duplicate-function", "%s", text)
			d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
			return fs
		}
	}
	if v.functions == nil {
		v.functions = make(map[string][]Before)
	}
	v.functions[of.verb] = append(v.functions[of.verb], f)
	return append(fs, f)
}

func (v *validator) cron(crons []Cron, c Cron) []Cron {
	for _, first := range v.seenCrons {
		if first.Name == c.Name {
			d := v.list.Errorf(c.pos, "duplicate-function", "cron %q is two functions, %s and %s", c.Name, first.label, c.label)
			d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
			return crons
		}
	}
	v.seenCrons = append(v.seenCrons, c)
	return append(crons, c)
}

// crons compares the functions with the schedules. Without a manifest there is nothing to compare with.
func (v *validator) crons() {
	if v.manifest == nil {
		return
	}
	names := sortedKeys(v.manifest.Crons)
	var unused []string
	for _, name := range names {
		if !slices.ContainsFunc(v.seenCrons, func(c Cron) bool { return c.Name == name }) {
			unused = append(unused, name)
		}
	}
	var unknown []string
	for _, c := range v.seenCrons {
		if slices.Contains(names, c.Name) {
			continue
		}
		unknown = append(unknown, c.Name)
		d := v.list.Errorf(c.pos, "unknown-cron", "cron %q has no schedule in the manifest", c.Name)
		// One that has a function is not what was meant.
		if d.Hint = diag.DidYouMean(c.Name, unused); d.Hint == "" {
			d.Hint = fmt.Sprintf(`add it to "crons": {%q: "0 4 * * *"}`, c.Name)
		}
	}
	for _, name := range unused {
		// The other side of a misspelling is one mistake, not two.
		if slices.ContainsFunc(unknown, func(u string) bool { return diag.Suggest(u, []string{name}) == name }) {
			continue
		}
		d := v.list.Errorf(v.manifest.Crons[name], "unused-cron", "cron %q has no function", name)
		d.Hint = prefix + verbCron + " " + name + "\n" + strings.Replace(lookupAnnotation(verbCron).signature, "func(", "func run(", 1)
	}
}

// events checks that what is sent as one type of frame is one type in Go.
func (v *validator) events() {
	seen := make(map[string]Event)
	for _, m := range v.all {
		for _, e := range m.Events {
			first, ok := seen[e.Type]
			if !ok {
				seen[e.Type] = e
				continue
			}
			d := v.list.Errorf(e.pos, "duplicate-event", "%s and %s are both events of type %q", first.label, e.label, e.Type)
			d.Hint = "give one of them another type: " + prefix + verbEvent + " TYPE"
			d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
		}
	}
}

// declared reports names of the generated code that a package takes itself.
func (v *validator) declared(m *Model, p *program) {
	names := []string{"partyApp", "Parties", "PartyBindings"}
	for i := range m.Rooms {
		names = append(names, m.Rooms[i].Type+"Stub")
		if len(m.Rooms[i].Methods) > 0 {
			names = append(names, methodsOf(&m.Rooms[i]), "partyErrors")
			for _, f := range m.Rooms[i].Methods {
				names = append(names, argsOf(&m.Rooms[i], f), resultsOf(&m.Rooms[i], f))
			}
		}
		if len(m.Rooms[i].Messages) > 0 {
			names = append(names, messagesOf(&m.Rooms[i]))
		}
	}
	if m.Package == "main" {
		names = append(names, "partyManifest", "partyAssets")
	} else {
		names = append(names, "PartyApp")
	}
	for _, name := range names {
		if obj := p.own.pkg.Scope().Lookup(name); obj != nil {
			v.list.Errorf(p.pos(obj), "name-taken", "%s is declared by generated code", name).Hint = "rename this one"
		}
	}
}

// nothing says that there are no rooms, and where they were searched.
func (v *validator) nothing() string {
	if v.all[0].Package == "main" && v.searched {
		return "neither the program nor another package of its project has a room type"
	}
	return "the package has no room type"
}
