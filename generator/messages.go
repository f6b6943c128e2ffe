package generator

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

// TypedMessage is a method that takes the frames of one type.
type TypedMessage struct {
	Type    string // in the frame
	Method  string
	Param   string // type of what it takes, as it is written in generated code
	Pointer bool   // it takes a pointer to that

	pos  diag.Position
	data types.Type
}

// Event is a struct type that is sent as a frame with a type.
type Event struct {
	Type   string // in the frame
	GoType string

	label string // the type, as that of Room
	pos   diag.Position
	data  types.Type
}

// messageShape is what the signature of a message method has to be like.
const messageShape = "func(ctx context.Context, conn *party.Conn, m SomeStruct) error"

var frameTypeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]*$`)

func checkFrameType(s string) string {
	if s == errorFrame {
		return `another name: "error" is the type of the frame that answers what cannot be understood`
	}
	if frameTypeName.MatchString(s) {
		return ""
	}
	return "letters, digits and any of _.:/-, beginning with a letter or digit"
}

// errorFrame is the type of the runtime's own frame.
const errorFrame = "error"

// frameType is the name in the annotation, or else that of the declaration.
func frameType(m marked, declared string) string {
	if m.operand.text != "" {
		return m.operand.text
	}
	return kebab(declared)
}

// messages returns the type's methods that take typed frames, in the order of the source.
func (r *roomType) messages(ann *annotated, names *typeNames) []TypedMessage {
	var found []TypedMessage
	r.annotatedMethods(verbMessage, ann, func(m methodDecl, obj *types.Func) {
		data, why := r.messageParam(obj.Signature())
		if why != "" {
			d := r.list.Errorf(r.prog.pos(obj), "wrong-signature", "%s cannot take messages: %s", obj.Name(), why)
			d.Hint = "want " + strings.Replace(messageShape, "func(", "func ("+r.name+") "+obj.Name()+"(", 1)
			return
		}
		t := TypedMessage{Type: frameType(m.marked, obj.Name()), Method: obj.Name(), pos: r.prog.src.pos(m.pos), data: data}
		if t.Type == "" || checkFrameType(t.Type) != "" {
			r.list.Errorf(t.pos, "option-value", "the name of method %s gives no type for its frames", t.Method).Hint = "write //party:message TYPE"
			return
		}
		if i := slices.IndexFunc(found, func(f TypedMessage) bool { return f.Type == t.Type }); i >= 0 {
			d := r.list.Errorf(t.pos, "duplicate-message", "%s and %s of %s both take messages of type %q", found[i].Method, t.Method, r.name, t.Type)
			d.Related = []diag.Related{{Pos: found[i].pos, Message: "the first one"}}
			return
		}
		last := m.decl.Type.Params.List[len(m.decl.Type.Params.List)-1].Type
		if star, ok := last.(*ast.StarExpr); ok {
			last, t.Pointer = star.X, true
		}
		t.Param = names.write(m.file, last)
		found = append(found, t)
	})
	return found
}

// messageParam returns the struct type that a method takes messages as, or what is wrong with the method.
func (r *roomType) messageParam(sig *types.Signature) (types.Type, string) {
	want := theContract().functions[verbSocket] // which begins with a context and a connection
	params, results := sig.Params(), sig.Results()
	if params.Len() != 3 || sig.Variadic() || results.Len() != 1 || !types.Identical(results.At(0).Type(), want.Results().At(0).Type()) ||
		!types.Identical(params.At(0).Type(), want.Params().At(0).Type()) || !types.Identical(params.At(1).Type(), want.Params().At(1).Type()) {
		return nil, "its signature is another one"
	}
	data := types.Unalias(params.At(2).Type())
	if p, ok := data.(*types.Pointer); ok {
		data = types.Unalias(p.Elem())
	}
	if b, ok := data.Underlying().(*types.Basic); ok && b.Kind() == types.Invalid {
		return data, "" // go build knows it
	}
	if _, ok := data.Underlying().(*types.Struct); !ok {
		return nil, fmt.Sprintf("%s is no struct", r.prog.typeString(data))
	}
	e := encodable{list: r.list, prog: r.prog, pos: r.prog.pos(params.At(2)), seen: make(map[types.Type]bool)}
	return data, e.wrong(data)
}

// events returns the annotated event types, by their type in frames.
func events(p *program, ann *annotated, list *diag.List) []Event {
	var found []Event
	for _, decl := range ann.events {
		obj := p.own.info.Defs[decl.spec.Name]
		if obj == nil {
			continue // declared twice, which go build reports
		}
		e := Event{Type: frameType(decl.marked, obj.Name()), GoType: obj.Name(), label: p.label(obj.Name()), pos: p.src.pos(decl.pos), data: obj.Type()}
		if why, hint := wrongEvent(p, e, list); why != "" {
			list.Errorf(p.pos(obj), "event-type", "%s cannot be an event: %s", e.GoType, why).Hint = hint
			continue
		}
		if i := slices.IndexFunc(found, func(f Event) bool { return f.Type == e.Type }); i >= 0 {
			d := list.Errorf(e.pos, "duplicate-event", "%s and %s are both events of type %q", found[i].GoType, e.GoType, e.Type)
			d.Related = []diag.Related{{Pos: found[i].pos, Message: "the first one"}}
			continue
		}
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b Event) int { return strings.Compare(a.Type, b.Type) })
	return found
}

func wrongEvent(p *program, e Event, list *diag.List) (why, hint string) {
	s, ok := e.data.Underlying().(*types.Struct)
	if !ok {
		return "it is no struct", "events are JSON objects"
	}
	if e.Type == "" || checkFrameType(e.Type) != "" {
		return "its name gives no type for its frames", "write //party:event TYPE"
	}
	if obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(e.data), true, p.own.pkg, "Message"); obj != nil {
		return "it has a Message already, which generated code declares for events", "rename that"
	}
	for n := range s.NumFields() {
		if name, _, _ := strings.Cut(reflect.StructTag(s.Tag(n)).Get("json"), ","); name == "type" {
			return `its field ` + s.Field(n).Name() + ` is encoded as "type", which is the event's own`, "give the field another name in its json tag"
		}
	}
	enc := encodable{list: list, prog: p, pos: e.pos, seen: make(map[types.Type]bool)}
	return enc.wrong(e.data), ""
}
