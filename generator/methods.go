package generator

import (
	"cmp"
	"go/types"
	"slices"
	"strconv"

	"github.com/goparty-dev/party/internal/diag"
)

// DataMigration is a method that brings a room's data to a version.
type DataMigration struct {
	Version int
	Method  string

	pos diag.Position
}

// firstVersion is that of data which no migration has touched.
const firstVersion = 1

func checkVersion(s string) string {
	if n, err := strconv.Atoi(s); err == nil && n > firstVersion && strconv.Itoa(n) == s {
		return ""
	}
	return "a whole number from 2 on; 1 is the version of data that no migration has touched"
}

// strayMethods reports annotated methods of what is no room type.
func strayMethods(p *program, ann *annotated, list *diag.List) {
	for _, m := range ann.methods {
		name := receiverName(m.decl.Recv.List[0].Type)
		if slices.ContainsFunc(ann.rooms, func(r roomDecl) bool { return r.spec.Name.Name == name }) {
			continue
		}
		d := list.Errorf(p.src.pos(m.pos), "not-a-room", "%s%s belongs on a method of a room type, and %s is none", prefix, m.of.verb, name)
		d.Hint = "annotate the type with " + prefix + verbRoom + ", or move the method to one that is"
	}
}

// annotatedMethods yields the type's own methods that have an annotation, and their objects.
func (r *roomType) annotatedMethods(verb string, ann *annotated, each func(methodDecl, *types.Func)) {
	for _, m := range ann.methods {
		if m.of.verb != verb || receiverName(m.decl.Recv.List[0].Type) != r.name {
			continue
		}
		if obj, ok := r.prog.own.info.Defs[m.decl.Name].(*types.Func); ok {
			each(m, obj)
		}
	}
}

// dataMigrations returns the type's data migrations, ascending.
func (r *roomType) dataMigrations(ann *annotated) []DataMigration {
	var found []DataMigration
	r.annotatedMethods(verbMigrate, ann, func(m methodDecl, obj *types.Func) {
		if want := theContract().functions[verbMigrate]; !types.Identical(obj.Type(), want) {
			receiver, owner := receiverOf(obj, r.name)
			d := r.list.Errorf(r.prog.pos(obj), "wrong-signature", "%s has the wrong signature for %s%s", obj.Name(), prefix, verbMigrate)
			d.Hint = "want " + methodAs(obj.Name(), want, receiver, owner, m.file)
			return
		}
		version, err := strconv.Atoi(m.operand.text)
		if err != nil {
			return // reported with the annotation
		}
		step := DataMigration{Version: version, Method: obj.Name(), pos: r.prog.src.pos(m.at(m.operand))}
		if i := slices.IndexFunc(found, func(f DataMigration) bool { return f.Version == version }); i >= 0 {
			d := r.list.Errorf(step.pos, "duplicate-version", "%s and %s both bring the data of %s to version %d", found[i].Method, step.Method, r.name, version)
			d.Related = []diag.Related{{Pos: found[i].pos, Message: "the first one"}}
			return
		}
		found = append(found, step)
	})
	slices.SortFunc(found, func(a, b DataMigration) int { return cmp.Compare(a.Version, b.Version) })
	return found
}
