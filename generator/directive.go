package generator

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/goparty-dev/party/internal/diag"
)

// directive is one annotation as it was written.
type directive struct {
	of      *annotation
	operand word // empty text: not given
	options map[string]word
}

// word is a piece of an annotation: its text, and its offset in bytes from the slashes.
type word struct {
	text   string
	offset int
}

func (d directive) has(option string) bool {
	_, ok := d.options[option]
	return ok
}

// problem is a diagnostic that does not know its file yet.
type problem struct {
	offset              int
	code, message, hint string
}

// isDirective reports whether a comment means to be an annotation.
func isDirective(comment string) bool { return strings.HasPrefix(comment, prefix) }

// spacedVerb returns the verb of a comment that would be an annotation but for
// the space after the slashes.
func spacedVerb(comment string) (string, bool) {
	rest, ok := strings.CutPrefix(comment, "//")
	if trimmed := strings.TrimLeft(rest, " \t"); ok && trimmed != rest {
		if rest, ok = strings.CutPrefix(trimmed, "party:"); ok {
			verb, _, _ := strings.Cut(rest, " ")
			return verb, lookupAnnotation(verb) != nil
		}
	}
	return "", false
}

// parseDirective reads a comment that isDirective. With an unknown verb the directive has no annotation.
func parseDirective(comment string) (directive, []problem) {
	words := splitWords(comment[len(prefix):], len(prefix))
	// A space behind the colon would make the first option look like the verb.
	if len(words) == 0 || words[0].offset != len(prefix) {
		return directive{}, []problem{{len(prefix), "unknown-annotation", "annotation without a name", "there is: " + strings.Join(verbs(), ", ")}}
	}
	verb := words[0].text
	d := directive{of: lookupAnnotation(verb), options: make(map[string]word)}
	if d.of == nil {
		hint := diag.DidYouMean(verb, verbs())
		if hint == "" {
			hint = "there is: " + strings.Join(verbs(), ", ")
		}
		return d, []problem{{0, "unknown-annotation", fmt.Sprintf("unknown annotation %q", verb), hint}}
	}
	var problems []problem
	for _, w := range words[1:] {
		var p *problem
		if strings.HasPrefix(w.text, "//") {
			return d, append(problems, problem{w.offset, "unknown-option", "an annotation cannot have a comment behind it", "write the comment on a line of its own"})
		}
		if d.of.operand.show != "" && !strings.Contains(w.text, "=") {
			p = d.addOperand(w)
		} else {
			p = d.addOption(w)
		}
		if p != nil {
			problems = append(problems, *p)
		}
	}
	if d.of.operand.required && d.operand.text == "" && len(problems) == 0 {
		problems = append(problems, problem{0, "missing-name", fmt.Sprintf("%s%s needs a %s", prefix, verb, strings.ToLower(d.of.operand.show)), "write " + d.of.grammar()})
	}
	return d, problems
}

func (d *directive) addOperand(w word) *problem {
	if d.operand.text != "" {
		return &problem{w.offset, "unknown-option", fmt.Sprintf("%s%s takes one name, %q is one more", prefix, d.of.verb, w.text), "write " + d.of.grammar() + "; several annotations may stand above one function"}
	}
	if must := d.of.operand.check(w.text); must != "" {
		return &problem{w.offset, "option-value", fmt.Sprintf("%q must be %s", w.text, must), ""}
	}
	d.operand = w
	return nil
}

func (d *directive) addOption(w word) *problem {
	name, value, valued := strings.Cut(w.text, "=")
	o := d.of.option(name)
	switch {
	case o == nil:
		return &problem{w.offset, "unknown-option", fmt.Sprintf("unknown option %q of %s%s", name, prefix, d.of.verb), d.of.optionHint(name)}
	case d.has(name):
		return &problem{w.offset, "duplicate-option", fmt.Sprintf("option %q is given twice", name), ""}
	case valued && o.show == "":
		return &problem{w.offset, "option-value", fmt.Sprintf("option %q takes no value", name), "write just " + name + ", or leave it out"}
	case o.show != "" && value == "":
		return &problem{w.offset, "option-value", fmt.Sprintf("option %q needs a value", name), "write " + o.form()}
	}
	at := word{value, w.offset}
	if valued {
		at.offset += len(name) + 1
	}
	d.options[name] = at
	if o.check != nil {
		if must := o.check(value); must != "" {
			return &problem{at.offset, "option-value", fmt.Sprintf("option %q must be %s", name, must), ""}
		}
	}
	return nil
}

func (a *annotation) optionHint(name string) string {
	if len(a.options) == 0 {
		return "write " + a.grammar()
	}
	known := make([]string, len(a.options))
	for i := range a.options {
		known[i] = a.options[i].name
	}
	if hint := diag.DidYouMean(name, known); hint != "" {
		return hint
	}
	return "there is: " + strings.Join(known, ", ")
}

// splitWords splits at white space and remembers where each word began, from offset on.
func splitWords(s string, offset int) []word {
	var words []word
	start := -1
	for i, r := range s + " " {
		switch {
		case !unicode.IsSpace(r):
			if start < 0 {
				start = i
			}
		case start >= 0:
			words = append(words, word{s[start:i], offset + start})
			start = -1
		}
	}
	return words
}
