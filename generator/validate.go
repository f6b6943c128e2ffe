package generator

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// validator compares the parts of a model with one another and with the manifest.
type validator struct {
	model    *Model
	list     *diag.List
	manifest *Manifest     // nil: there is none
	pkg      diag.Position // the package as a whole
}

// override applies the manifest's party names.
func (v *validator) override() {
	if v.manifest == nil {
		return
	}
	named := make(map[string]string) // party by type
	for _, party := range sortedKeys(v.manifest.Parties) {
		entry := v.manifest.Parties[party]
		if must := checkPartyName(party); must != "" {
			v.list.Errorf(entry.Pos, "party-name", "party name %q must be %s", party, must)
		}
		i := slices.IndexFunc(v.model.Rooms, func(r Room) bool { return r.Type == entry.Type })
		if i < 0 {
			d := v.list.Errorf(entry.Pos, "unknown-type", "party %q: there is no room type %s", party, entry.Type)
			d.Hint = unknownName(entry.Type, v.types(), "")
			if d.Hint == "" || !strings.HasPrefix(d.Hint, "did") {
				d.Hint = strings.TrimPrefix(d.Hint+"\nannotate the type with //party:room", "\n")
			}
			continue
		}
		if first, ok := named[entry.Type]; ok {
			d := v.list.Errorf(entry.Pos, "type-named-twice", "room type %s has two names: %q and %q", entry.Type, first, party)
			d.Related = []diag.Related{{Pos: v.manifest.Parties[first].Pos, Message: fmt.Sprintf("%q is given here", first)}}
			continue
		}
		named[entry.Type] = party
		v.model.Rooms[i].Party, v.model.Rooms[i].partyPos = party, entry.Pos
	}
}

func (v *validator) types() []string {
	var names []string
	for _, r := range v.model.Rooms {
		names = append(names, r.Type)
	}
	return names
}

func (v *validator) parties() []string {
	var names []string
	for _, r := range v.model.Rooms {
		names = append(names, r.Party)
	}
	slices.Sort(names)
	return names
}

// rooms checks what holds for all rooms together, and finds the main one.
func (v *validator) rooms() {
	rooms := v.model.Rooms
	// A mistake in the annotation is reason enough for there being none.
	if len(rooms) == 0 && !v.list.HasErrors() {
		d := v.list.Errorf(v.pkg, "no-rooms", "the package has no room type")
		d.Hint = "annotate one:\n" + exampleRoom
	}
	if len(rooms) == 1 {
		rooms[0].Main = true
	}
	var main *Room
	names := make(map[string]*Room)
	for i := range rooms {
		r := &rooms[i]
		if r.Main {
			if main != nil {
				d := v.list.Errorf(r.mainPos, "two-mains", "%s is the main party as well as %s", r.Type, main.Type)
				d.Hint = "one room type answers under /party/:room"
				d.Related = []diag.Related{{Pos: main.mainPos, Message: main.Type + " is main"}}
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
			d := v.list.Errorf(r.partyPos, "duplicate-party", "party %q is both %s and %s", r.Party, first.Type, r.Type)
			d.Hint = prefix + verbRoom + " name=NAME gives one of them another name"
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
	for _, first := range fs {
		if first.Party == f.Party {
			text := fmt.Sprintf("%s%s is above two functions, %s and %s", prefix, strings.TrimSpace(of.verb+" "+f.Party), first.Function, f.Function)
			d := v.list.Errorf(f.pos, "duplicate-function", "%s", text)
			d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
			return fs
		}
	}
	return append(fs, f)
}

func (v *validator) cron(crons []Cron, c Cron) []Cron {
	for _, first := range crons {
		if first.Name == c.Name {
			d := v.list.Errorf(c.pos, "duplicate-function", "cron %q is two functions, %s and %s", c.Name, first.Function, c.Function)
			d.Related = []diag.Related{{Pos: first.pos, Message: "the first one"}}
			return crons
		}
	}
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
		if !slices.ContainsFunc(v.model.Crons, func(c Cron) bool { return c.Name == name }) {
			unused = append(unused, name)
		}
	}
	var unknown []string
	for _, c := range v.model.Crons {
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

// declared reports names of the generated code that the package takes itself.
func (v *validator) declared(p *program, scope *types.Scope) {
	names := []string{"partyApp", "Parties", "PartyBindings"}
	for i := range v.model.Rooms {
		names = append(names, v.model.Rooms[i].Type+"Stub")
		if len(v.model.Rooms[i].Methods) > 0 {
			names = append(names, methodsOf(&v.model.Rooms[i]), "partyErrors")
		}
		if len(v.model.Rooms[i].Messages) > 0 {
			names = append(names, messagesOf(&v.model.Rooms[i]))
		}
	}
	if v.model.Package == "main" {
		names = append(names, "partyManifest", "partyAssets")
	} else {
		names = append(names, "PartyApp")
	}
	for _, name := range names {
		if obj := scope.Lookup(name); obj != nil {
			v.list.Errorf(p.pos(obj), "name-taken", "%s is declared by generated code", name).Hint = "rename this one"
		}
	}
}
