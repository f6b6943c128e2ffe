package generator

import (
	"go/types"
	"slices"

	"github.com/goparty-dev/party/internal/diag"
)

// roomType resolves one annotated type against the contract.
type roomType struct {
	prog *program
	decl roomDecl
	list *diag.List

	obj  types.Object
	name string
}

// newRoom returns what a room declaration means, without its party name; nil if its type is
// declared twice, which go build reports.
func newRoom(p *program, decl roomDecl, ann *annotated, names *typeNames, list *diag.List) *Room {
	obj := p.own.info.Defs[decl.spec.Name]
	if obj == nil {
		return nil
	}
	r := &roomType{prog: p, decl: decl, list: list, obj: obj, name: obj.Name()}
	room := &Room{
		Type: r.name, Main: decl.has(optionMain), Hibernate: decl.has(optionHibernate),
		pos: p.src.pos(obj.Pos()),
	}
	if _, ok := obj.Type().Underlying().(*types.Struct); !ok {
		d := list.Errorf(room.pos, "not-a-struct", "room type %s is not a struct", r.name)
		d.Hint = exampleRoom
		return room
	}
	room.Embed = r.embedding()
	room.Callbacks = r.callbacks()
	r.nearMisses()
	room.SocketIO = r.attached()
	room.Options = r.socketOptions(room.SocketIO)
	room.Persist = r.persisted()
	room.Migrate = r.dataMigrations(ann)
	room.Methods = r.methods(ann, names)
	room.Messages = r.messages(ann, names)
	return room
}

// embedding returns the path of field names to the embedded party.Room.
func (r *roomType) embedding() []string {
	var found [][]*types.Var
	embeddings(r.obj.Type(), nil, make(map[types.Type]bool), &found)
	switch len(found) {
	case 0:
		r.notEmbedded()
		return nil
	case 1:
	default:
		d := r.list.Errorf(r.prog.pos(found[1][0]), "room-embedded-twice", "%s embeds party.Room twice", r.name)
		d.Hint = "a room has one party.Room: remove one of the embedded types"
		d.Related = []diag.Related{{Pos: r.prog.pos(found[0][0]), Message: "the other one"}}
		return nil
	}
	var path []string
	for _, field := range found[0] {
		path = append(path, field.Name())
		if _, ok := types.Unalias(field.Type()).(*types.Pointer); ok {
			d := r.list.Errorf(r.prog.pos(field), "pointer-embed", "%s embeds a pointer, *%s", r.name, field.Name())
			d.Hint = "embed the value: remove the asterisk"
			return nil
		}
		if !field.Exported() && field.Pkg() != r.obj.Pkg() {
			d := r.list.Errorf(r.prog.pos(field), "unexported-embed", "%s embeds party.Room by way of %s, which is not exported", r.name, field.Name())
			d.Hint = "export it, so that generated code in package " + r.obj.Pkg().Name() + " reaches the room"
			return nil
		}
	}
	return path
}

// embeddings finds the fields, embedded in one another, that lead to a party.Room.
func embeddings(t types.Type, path []*types.Var, seen map[types.Type]bool, found *[][]*types.Var) {
	s, ok := t.Underlying().(*types.Struct)
	if !ok || seen[t] {
		return
	}
	seen[t] = true
	defer delete(seen, t)
	for field := range s.Fields() {
		if !field.Embedded() {
			continue
		}
		to := append(slices.Clone(path), field)
		of := types.Unalias(field.Type())
		if p, ok := of.(*types.Pointer); ok {
			of = types.Unalias(p.Elem())
		}
		if types.Identical(of, theContract().room) {
			*found = append(*found, to)
		} else {
			embeddings(of, to, seen, found)
		}
	}
}

func (r *roomType) notEmbedded() {
	d := r.list.Errorf(r.prog.src.pos(r.obj.Pos()), "missing-embed", "room type %s does not embed party.Room", r.name)
	d.Hint = embedHint(r.name, r.decl.file)
	s := r.obj.Type().Underlying().(*types.Struct)
	for field := range s.Fields() {
		of := types.Unalias(field.Type())
		if p, ok := of.(*types.Pointer); ok {
			of = types.Unalias(p.Elem())
		}
		if types.Identical(of, theContract().room) {
			d.Related = []diag.Related{{Pos: r.prog.pos(field), Message: "this is a field with a name: remove the name to embed it"}}
			return
		}
	}
}

// callbacks returns the names of the callbacks that the type has, declared or promoted.
func (r *roomType) callbacks() []string {
	var names []string
	for i := range hooks {
		h := &hooks[i]
		obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(r.obj.Type()), true, r.obj.Pkg(), h.Method)
		switch obj := obj.(type) {
		case nil:
			if index != nil {
				d := r.list.Errorf(r.prog.src.pos(r.obj.Pos()), "ambiguous-callback", "%s has %s from more than one embedded type, which makes it none", r.name, h.Method)
				_, file := r.prog.fileOf(r.obj)
				d.Hint = "write the method that is meant:\n" + methodLine(h, "", r.name, file)
			}
		case *types.Func:
			if types.Identical(obj.Type(), theContract().callbacks[h.Method]) {
				names = append(names, h.Method)
			} else {
				r.wrongSignature(h, obj)
			}
		default:
			d := r.list.Errorf(r.prog.pos(obj), "wrong-signature", "%s of %s is a field, and a callback is a method", h.Method, r.name)
			_, file := r.prog.fileOf(obj)
			d.Hint = "write " + methodLine(h, "", r.name, file)
		}
	}
	return names
}

func (r *roomType) wrongSignature(h *hook, obj *types.Func) {
	receiver, owner := receiverOf(obj, r.name)
	_, file := r.prog.fileOf(obj)
	d := r.list.Errorf(r.prog.pos(obj), "wrong-signature", "%s of %s has the wrong signature", h.Method, owner)
	d.Hint = "want " + methodLine(h, receiver, owner, file)
}

// nearMisses reports methods whose names suggest that somebody expects them to
// be called. Beside the callback itself such a method is a part of it.
func (r *roomType) nearMisses() {
	methods := types.NewMethodSet(types.NewPointer(r.obj.Type()))
	for m := range methods.Methods() {
		obj, ok := m.Obj().(*types.Func)
		if !ok || callback(obj.Name()) != nil {
			continue
		}
		h := nearCallback(obj.Name())
		unit, file := r.prog.fileOf(obj)
		if h == nil || unit == nil {
			continue
		}
		if has, index, _ := types.LookupFieldOrMethod(types.NewPointer(r.obj.Type()), true, r.obj.Pkg(), h.Method); has != nil || index != nil {
			continue
		}
		receiver, owner := receiverOf(obj, r.name)
		d := r.list.Errorf(r.prog.pos(obj), "near-miss", "method %s of %s is no callback, but its name is close to %s", obj.Name(), owner, h.Method)
		d.Hint = "write " + methodLine(h, receiver, owner, file) + "\nif it is something else, give it a name of its own"
	}
}

// receiverOf returns the names of a method's receiver and of its type, which may be one
// that the room type embeds.
func receiverOf(f *types.Func, otherwise string) (receiver, typeName string) {
	recv := f.Signature().Recv()
	if recv == nil {
		return "", otherwise
	}
	t := types.Unalias(recv.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return recv.Name(), named.Obj().Name()
	}
	return recv.Name(), otherwise
}
