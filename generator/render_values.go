package generator

import (
	"fmt"
	"strings"
)

// printValues prints the types that hold the arguments and the results of a room's methods.
func printValues(p *printer, m *Model, r *Room) {
	for _, f := range r.Methods {
		printList(p, m, argsOf(r, f), "a", f.Params)
		printList(p, m, resultsOf(r, f), "r", f.Results)
	}
}

func printList(p *printer, m *Model, name, letter string, values []Param) {
	if len(values) == 0 {
		return
	}
	p.line("type %s struct {", name)
	var list []string
	for n, v := range values {
		p.line("%s%d %s", letter, n, v.Type)
		list = append(list, fmt.Sprintf("&v.%s%d", letter, n))
	}
	p.line("}\n")
	p.line("func (v *%s) List() []any { return []any{%s} }\n", name, strings.Join(list, ", "))
	p.line("func (v *%s) Isolate() (%s.Values, bool) {", name, m.Imports.Party)
	defer p.line("}\n")
	if onlyJSON(values) {
		p.line("return nil, false")
		return
	}
	p.line("out := new(%s)", name)
	if asksBack(values) {
		p.line("var ok bool")
	}
	for n, v := range values {
		field := fmt.Sprintf("%s%d", letter, n)
		switch v.Copy {
		case copyPlain:
			p.line("out.%s = v.%s", field, field)
		case copyJSON:
			p.line("if !%s.JSON(&v.%s, &out.%s) {\nreturn nil, false\n}", m.Imports.Isolate, field, field)
		default:
			p.line("if out.%s, ok = %s(v.%s); !ok {\nreturn nil, false\n}", field, m.copyFunc(v.Copy), field)
		}
	}
	p.line("return out, true")
}

// onlyJSON reports whether there is nothing to gain over encoding all of the values at once.
func onlyJSON(values []Param) bool {
	for _, v := range values {
		if v.Copy != copyJSON {
			return false
		}
	}
	return true
}

// asksBack reports whether some value is copied by a function that returns it.
func asksBack(values []Param) bool {
	for _, v := range values {
		if v.Copy != copyJSON && v.Copy != copyPlain {
			return true
		}
	}
	return false
}

// copyFunc writes the name of a function that copies.
func (m *Model) copyFunc(name string) string {
	if name[0] >= 'A' && name[0] <= 'Z' {
		return m.Imports.Isolate + "." + name
	}
	return name
}

// isolates reports whether generated code uses package isolate.
func (m *Model) isolates() bool {
	if len(m.Copies) > 0 {
		return true
	}
	for i := range m.Rooms {
		for _, f := range m.Rooms[i].Methods {
			for _, values := range [][]Param{f.Params, f.Results} {
				for _, v := range values {
					if v.Copy != copyPlain && !onlyJSON(values) {
						return true
					}
				}
			}
		}
	}
	return false
}

// printCopies prints the functions that copy values of types that are no simple ones.
func printCopies(p *printer, m *Model) {
	for _, f := range m.Copies {
		switch {
		case f.Expr != "":
			p.line("func %s(v %s) (%s, bool) { return %s }\n", f.Name, f.Type, f.Type, m.copyExpr(f.Expr))
		case f.Elem != "":
			p.line("func %s(v %s) (out %s, ok bool) {", f.Name, f.Type, f.Type)
			p.line("for n := range v {\nif out[n], ok = %s(v[n]); !ok {\nreturn out, false\n}\n}", m.copyFunc(f.Elem))
			p.line("return out, true\n}\n")
		default:
			p.line("func %s(v %s) (out %s, ok bool) {", f.Name, f.Type, f.Type)
			for _, field := range f.Fields {
				printCopyField(p, m, field)
			}
			p.line("return out, true\n}\n")
		}
	}
}

func printCopyField(p *printer, m *Model, f CopyField) {
	if f.When != "" {
		p.line("if %s {", f.When)
		defer p.line("}")
	}
	if f.Func == copyPlain {
		p.line("out.%s = v.%s", f.Name, f.Name)
		return
	}
	p.line("if out.%s, ok = %s(v.%s); !ok {\nreturn out, false\n}", f.Name, m.copyFunc(f.Func), f.Name)
}

// copyExpr writes a call of package isolate, with the functions that it is given.
func (m *Model) copyExpr(expr string) string {
	name, args, _ := strings.Cut(strings.TrimSuffix(expr, ")"), "(")
	words := strings.Split(args, ", ")
	for n, w := range words[1:] {
		words[n+1] = m.copyFunc(w)
	}
	return m.copyFunc(name) + "(" + strings.Join(words, ", ") + ")"
}

// argsOf and resultsOf are the types of a method's arguments and results in generated code.
func argsOf(r *Room, f Method) string    { return valuesName(r, f, "Args") }
func resultsOf(r *Room, f Method) string { return valuesName(r, f, "Results") }

func valuesName(r *Room, f Method, what string) string {
	return "party" + strings.ToUpper(r.Type[:1]) + r.Type[1:] + "_" + f.Name + "_" + what
}
