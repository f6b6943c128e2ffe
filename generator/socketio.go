package generator

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
)

const (
	socketioPath = runtimePath + "/socketio"

	verbSocketIO = "socketio"
	optionPath   = "path"

	optionOptions  = "options"  // of a function
	optionSocketIO = "socketio" // the same, of a room type

	// onSocketIO is the method by which a room type has a Socket.IO server of its own.
	onSocketIO = "OnSocketIO"

	defaultMount = "/socket.io/"
)

// checkMount says what the path of a Socket.IO server must be, or "" if it is.
func checkMount(s string) string {
	if strings.HasPrefix(s, "/") && strings.HasSuffix(s, "/") && len(s) > 1 && !strings.ContainsAny(s, "?#\"`\\") && !strings.Contains(s, "//") {
		return ""
	}
	return "a path that begins and ends with a slash, such as " + defaultMount
}

// addMounts adds a party for each function that is a Socket.IO server.
// Its signature is checked with those of the other functions.
func (m *Model) addMounts(p *program, ann *annotated, list *diag.List) {
	for _, decl := range ann.functions {
		obj, ok := p.own.info.Defs[decl.decl.Name].(*types.Func)
		if !ok || decl.of.verb != verbSocketIO {
			continue
		}
		r := Room{Party: "socketio", Type: obj.Name(), Mount: defaultMount, Hibernate: decl.has(optionHibernate), pos: p.pos(obj)}
		r.partyPos, r.mainPos = r.pos, r.pos
		if w, ok := decl.options[optionName]; ok {
			r.Party, r.partyPos = w.text, p.src.pos(decl.at(w))
		}
		if w, ok := decl.options[optionPath]; ok {
			r.Mount = w.text
		}
		if w, ok := decl.options[optionOptions]; ok {
			r.Options = w.text
			p.wantVariable(w.text, p.src.pos(decl.at(w)), list)
		}
		m.Rooms = append(m.Rooms, r)
	}
}

// checkVariable says what the name of a variable must be, or "" if it is.
func checkVariable(s string) string {
	if token.IsIdentifier(s) {
		return ""
	}
	return "the name of a package variable"
}

// wantVariable reports a name that no variable of the package has. Its type is the compiler's business.
func (p *program) wantVariable(name string, at diag.Position, list *diag.List) {
	if _, ok := p.own.pkg.Scope().Lookup(name).(*types.Var); ok {
		return
	}
	d := list.Errorf(at, "no-such-variable", "the package has no variable %s", name)
	d.Hint = "add it: var " + name + " = []socketio.Option{…}"
}

// socketOptions is the variable with the options of the room type's Socket.IO server, if it names one.
func (r *roomType) socketOptions(attached bool) string {
	w, ok := r.decl.options[optionSocketIO]
	if !ok {
		return ""
	}
	at := r.prog.src.pos(r.decl.at(w))
	if !attached {
		d := r.list.Errorf(at, "no-socketio", "room type %s has no Socket.IO server that could have options", r.name)
		d.Hint = "add the method: func (r *" + r.name + ") " + onSocketIO + "(io *socketio.Server)"
		return ""
	}
	r.prog.wantVariable(w.text, at, r.list)
	return w.text
}

// attached reports whether the room type has a Socket.IO server of its own.
func (r *roomType) attached() bool {
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(r.obj.Type()), true, r.obj.Pkg(), onSocketIO)
	method, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	want := theContract().functions[verbSocketIO]
	if !types.Identical(method.Type(), want) {
		d := r.list.Errorf(r.prog.pos(method), "wrong-signature", "%s has the wrong signature", onSocketIO)
		d.Hint = "want " + methodAs(onSocketIO, want, "", r.name, r.decl.file)
	}
	return true
}

// socketIO reports whether the generated table needs package socketio.
func (m *Model) socketIO() bool {
	for i := range m.Rooms {
		if m.Rooms[i].Mount != "" || m.Rooms[i].SocketIO {
			return true
		}
	}
	return false
}

// printDefinition prints a room's entry of the table, for one with Socket.IO by way of package socketio.
func printDefinition(p *printer, m *Model, r *Room) {
	switch {
	case r.Mount != "":
		opts := fmt.Sprintf("%s.Name(%q)", m.Imports.SocketIO, r.Party)
		if r.Hibernate {
			opts += ", " + m.Imports.SocketIO + ".Hibernate()"
		}
		if r.Options != "" {
			opts = fmt.Sprintf("append([]%s.Option{%s}, %s...)...", m.Imports.SocketIO, opts, r.Options)
		}
		p.line("%s.Mount(%q, %s, %s),", m.Imports.SocketIO, r.Mount, r.Type, opts)
	case r.SocketIO:
		entry := new(printer)
		printRoom(entry, m, r)
		text := strings.TrimSuffix(strings.TrimSpace(entry.String()), ",")
		opts := ""
		if r.Options != "" {
			opts = ", " + r.Options + "..."
		}
		p.line("%s.Attach(%s.Definition%s%s),", m.Imports.SocketIO, m.Imports.Party, text, opts)
	default:
		printRoom(p, m, r)
	}
}
