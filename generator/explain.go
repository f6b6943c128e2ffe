package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Explain returns the grammar of the annotations, of the tags of fields and the callbacks, as text for a terminal. It
// is made of the tables that parsing and checking follow.
func Explain() string {
	b := new(strings.Builder)
	b.WriteString(`Annotations stand directly above a declaration at the top level of a file, without a space
after the slashes and without an empty line in between. Several may stand above one function.
They count in a program's own package, in all others below its party.json that it may import,
and in those of its module that these import.
`)
	for i := range annotations {
		annotations[i].explain(b)
	}
	fmt.Fprintf(b, "\nFields of a room type that outlive its value have the tag\n\n    %s\n\n", tagSuggested)
	fmt.Fprintf(b, "    %-12s  under which the field is stored, by default its own: %s\n", "name=NAME", storedNameMust)
	b.WriteString("\nCallbacks of a room type, all optional:\n\n")
	for _, h := range hooks {
		fmt.Fprintf(b, "    %s%s\n", h.Method, h.signature)
	}
	return b.String()
}

// places says what an annotation stands above.
var places = map[target]string{onStruct: "a struct type", onFunc: "a function", onMethod: "a method of a room type"}

func (a *annotation) explain(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s\n    above %s", a.grammar(), places[a.on])
	if form := a.signature + a.shape; form != "" {
		fmt.Fprintf(b, ": %s", form)
	}
	fmt.Fprintf(b, "\n    %s\n", a.doc)
	type row struct{ form, doc string }
	var rows []row
	if o := a.operand; o.show != "" {
		rows = append(rows, row{o.show, must(o.check)})
	}
	for _, o := range a.options {
		doc := o.doc
		if m := must(o.check); m != "" {
			doc += "; " + m
		}
		rows = append(rows, row{o.form(), doc})
	}
	width := 0
	if len(rows) > 0 {
		width = len(slices.MaxFunc(rows, func(x, y row) int { return cmp.Compare(len(x.form), len(y.form)) }).form)
	}
	for _, r := range rows {
		fmt.Fprintf(b, "      %-*s  %s\n", width, r.form, r.doc)
	}
	if a.example != "" {
		fmt.Fprintf(b, "    for example %s%s %s\n", prefix, a.verb, a.example)
	}
}

// must says what a value must be, in the words of the check.
func must(check func(string) string) string {
	if check == nil {
		return ""
	}
	return check("")
}
