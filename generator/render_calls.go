package generator

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// printCalls prints the bindings: what reaches the rooms of the package's parties, and what runs
// their methods.
func printCalls(m *Model) *printer {
	p := new(printer)
	p.line("%s\n\npackage %s\n", header, m.Package)
	var std, others []string
	for _, i := range m.TypeImports {
		line := importLine(i.Name, i.Name, i.Path, path.Base(i.Path))
		if strings.Contains(strings.Split(i.Path, "/")[0], ".") {
			others = append(others, line)
		} else {
			std = append(std, line)
		}
	}
	if m.calls() || m.messages() {
		std = append(std, importLine(m.Imports.Context, "context", contextPath, "context"))
	}
	others = append(others, importLine(m.Imports.Party, "party", runtimePath, "runtime"))
	if m.isolates() {
		others = append(others, importLine(m.Imports.Isolate, "isolate", isolatePath, "isolate"))
	}
	printImports(p, std, others)

	whose := "this package's parties"
	if len(m.Bindings) > 0 {
		whose = "all parties"
	}
	p.line("// Parties reaches the rooms of %s, from a room or from outside.", whose)
	p.line("func Parties(from %s.Caller) PartyBindings { return PartyBindings{from.Lobby()} }\n", m.Imports.Party)
	p.line("// PartyBindings has a method for each party.")
	p.line("type PartyBindings struct{ partyLobby *%s.Lobby }\n", m.Imports.Party)
	for i := range m.Rooms {
		if m.Rooms[i].Mount == "" {
			printBinding(p, m, &m.Rooms[i])
		}
	}
	for _, b := range m.Bindings {
		p.line("// %s returns the room of that name of party %s, which need not exist yet. Nothing is sent.", b.Method, b.Party)
		p.line("func (p PartyBindings) %s(name string, opts ...%s.StubOption) %s.%sStub {", b.Method, m.Imports.Party, b.Alias, b.Type)
		p.line("return %s.Parties(p.partyLobby).%s(name, opts...)\n}\n", b.Alias, b.Type)
	}
	for i := range m.Rooms {
		printMethods(p, m, &m.Rooms[i])
		printValues(p, m, &m.Rooms[i])
		printMessages(p, m, &m.Rooms[i])
	}
	for _, e := range m.Events {
		p.line("// Message returns the event as a frame of type %q.", e.Type)
		p.line("func (e %s) Message() %s.Message { return %s.Event(%q, e) }\n", e.GoType, m.Imports.Party, m.Imports.Party, e.Type)
	}
	printCopies(p, m)
	printErrors(p, m)
	return p
}

// calls reports whether there are methods that others may call.
func (m *Model) calls() bool {
	for i := range m.Rooms {
		if len(m.Rooms[i].Methods) > 0 {
			return true
		}
	}
	return false
}

// messages reports whether there are methods that take typed frames.
func (m *Model) messages() bool {
	for i := range m.Rooms {
		if len(m.Rooms[i].Messages) > 0 {
			return true
		}
	}
	return false
}

func printBinding(p *printer, m *Model, r *Room) {
	stub := r.Type + "Stub"
	p.line("// %s returns the room of that name, which need not exist yet. Nothing is sent.", r.Type)
	p.line("func (p PartyBindings) %s(room string, opts ...%s.StubOption) %s {", r.Type, m.Imports.Party, stub)
	p.line("return %s{p.partyLobby.Party(%q).Get(room, opts...)}\n}\n", stub, r.Party)
	p.line("// %s is a room of type %s, as other code reaches it.", stub, r.Type)
	p.line("type %s struct{ *%s.Stub }\n", stub, m.Imports.Party)
	for _, f := range r.Methods {
		args, results := m.Imports.Party+".NoValues", m.Imports.Party+".NoValues"
		if len(f.Params) > 0 {
			args = argsOf(r, f)
		}
		if len(f.Results) > 0 {
			results = resultsOf(r, f)
		}
		p.line("// %s calls the method of the room, as a turn of it.", f.Name)
		invoke := fmt.Sprintf("%s.Invoke[%s](ctx, s.Stub, %q, &%s{%s})", m.Imports.Party, results, f.Name, args, names(f.Params))
		if len(f.Results) == 0 {
			p.line("func (s %s) %s(ctx %s.Context%s) error {", stub, f.Name, m.Imports.Context, declared(f.Params))
			p.line("_, err := %s\nreturn err\n}\n", invoke)
			continue
		}
		p.line("func (s %s) %s(ctx %s.Context%s) (%s, err error) {", stub, f.Name, m.Imports.Context, declared(f.Params), strings.TrimPrefix(declared(f.Results), ", "))
		p.line("got, err := %s", invoke)
		p.line("return %s, err\n}\n", numbered("got.r", f.Results))
	}
}

// printMethods prints what runs the methods of a room that others call.
func printMethods(p *printer, m *Model, r *Room) {
	if len(r.Methods) == 0 {
		return
	}
	p.line("var %s = []%s.Method{", methodsOf(r), m.Imports.Party)
	for _, f := range r.Methods {
		public := ""
		if f.Public {
			public = " Public: true,"
		}
		p.line("{Name: %q,%s Func: func(ctx %s.Context, v any, call *%s.MethodCall) error {", f.Name, public, m.Imports.Context, m.Imports.Party)
		if len(f.Params) > 0 {
			p.line("a, err := %s.Args[%s](call)\nif err != nil {\nreturn err\n}", m.Imports.Party, argsOf(r, f))
		}
		method := fmt.Sprintf("v.(*%s).%s(%s)", r.Type, f.Name, strings.TrimSuffix("ctx, "+numbered("a.a", f.Params), ", "))
		if len(f.Results) == 0 {
			p.line("return call.Results(%s, new(%s.NoValues))", method, m.Imports.Party)
		} else {
			p.line("%s, err := %s", numbered("r", f.Results), method)
			p.line("return call.Results(err, &%s{%s})", resultsOf(r, f), numbered("r", f.Results))
		}
		p.line("}},")
	}
	p.line("}\n")
}

// printMessages prints what decodes typed frames and hands them to their methods.
func printMessages(p *printer, m *Model, r *Room) {
	if len(r.Messages) == 0 {
		return
	}
	party := m.Imports.Party
	p.line("var %s = []%s.TypedMessage{", messagesOf(r), party)
	for _, f := range r.Messages {
		p.line("{Type: %q, Func: func(ctx %s.Context, v any, conn *%s.Conn, msg %s.Message) error {", f.Type, m.Imports.Context, party, party)
		arg := "m"
		if f.Pointer {
			arg = "&m"
		}
		p.line("var m %s\nif err := msg.Typed(&m); err != nil {\nreturn err\n}", f.Param)
		p.line("return v.(*%s).%s(ctx, conn, %s)\n}},", r.Type, f.Method, arg)
	}
	p.line("}\n")
}

func printErrors(p *printer, m *Model) {
	if len(m.Errors) == 0 {
		return
	}
	p.line("// partyErrors keep their identity when a call returns them.")
	p.line("var partyErrors = []%s.KnownError{", m.Imports.Party)
	for _, e := range m.Errors {
		if e.Type {
			p.line("%s.ErrorType[%s](%q),", m.Imports.Party, e.Name, e.Key)
		} else {
			p.line("%s.ErrorValue(%q, %s),", m.Imports.Party, e.Key, e.Name)
		}
	}
	p.line("}")
}

// methodsOf is the name of a room's table of methods.
func methodsOf(r *Room) string { return "partyMethods" + strings.ToUpper(r.Type[:1]) + r.Type[1:] }

func messagesOf(r *Room) string { return "partyMessages" + strings.ToUpper(r.Type[:1]) + r.Type[1:] }

// names lists the names of parameters.
func names(params []Param) string {
	var out []string
	for _, p := range params {
		out = append(out, p.Name)
	}
	return strings.Join(out, ", ")
}

// numbered lists the places of parameters.
func numbered(before string, params []Param) string {
	var out []string
	for n := range params {
		out = append(out, before+strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}

// declared lists parameters with their types, each behind a comma.
func declared(params []Param) string {
	var b strings.Builder
	for _, p := range params {
		b.WriteString(", " + p.Name + " " + p.Type)
	}
	return b.String()
}
