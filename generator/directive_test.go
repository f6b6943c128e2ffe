package generator

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDirective(t *testing.T) {
	tests := []struct {
		comment, verb, operand string
		options                map[string]word
	}{
		{"//party:room", "room", "", map[string]word{}},
		{"//party:room main", "room", "", map[string]word{"main": {"", 13}}},
		{"//party:room\tname=talk  hibernate ", "room", "", map[string]word{"name": {"talk", 18}, "hibernate": {"", 24}}},
		{"//party:fetch", "fetch", "", map[string]word{}},
		{"//party:before-connect", "before-connect", "", map[string]word{}},
		{"//party:before-connect user", "before-connect", "user", map[string]word{}},
		{"//party:cron Tidy_up-1", "cron", "Tidy_up-1", map[string]word{}},
	}
	for _, tt := range tests {
		d, problems := parseDirective(tt.comment)
		if len(problems) > 0 {
			t.Errorf("parseDirective(%q): %v", tt.comment, problems)
			continue
		}
		if d.of.verb != tt.verb || d.operand.text != tt.operand {
			t.Errorf("parseDirective(%q) = %s %q, want %s %q", tt.comment, d.of.verb, d.operand.text, tt.verb, tt.operand)
		}
		if diff := cmp.Diff(tt.options, d.options, cmp.AllowUnexported(word{})); diff != "" {
			t.Errorf("parseDirective(%q) options (-want +got):\n%s", tt.comment, diff)
		}
	}
}

func FuzzParseDirective(f *testing.F) {
	for _, s := range []string{
		"//party:room name=chat main hibernate", "//party:room name= main=1 nane", "//party:cron a b", "//party:", "//party: room",
		"//party:before-connect user x=y", "//party:room main main // no", "//party:Room", "//party:room\u00a0main",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		comment := prefix + strings.TrimPrefix(rest, prefix)
		d, problems := parseDirective(comment)
		if d.of == nil && len(problems) != 1 {
			t.Errorf("parseDirective(%q): no annotation and %d problems", comment, len(problems))
		}
		for _, p := range problems {
			if p.code == "" || p.message == "" || p.offset < 0 || p.offset > len(comment) {
				t.Errorf("parseDirective(%q): problem %+v", comment, p)
			}
		}
		words := d.options
		for name, w := range words {
			if o := d.of.option(name); o == nil {
				t.Errorf("parseDirective(%q): option %q is not in the grammar", comment, name)
			}
			if !strings.HasPrefix(comment[w.offset:], w.text) {
				t.Errorf("parseDirective(%q): option %q is not %q at %d", comment, name, w.text, w.offset)
			}
		}
		if !strings.HasPrefix(comment[d.operand.offset:], d.operand.text) {
			t.Errorf("parseDirective(%q): operand is not %q at %d", comment, d.operand.text, d.operand.offset)
		}
		if len(problems) > 0 {
			return
		}
		// What is right stays right in other words: the grammar's own order.
		again := prefix + d.of.verb + " " + d.operand.text
		for _, o := range d.of.options {
			if w, ok := d.options[o.name]; ok && o.show != "" {
				again += " " + o.name + "=" + w.text
			} else if ok {
				again += " " + o.name
			}
		}
		if _, problems := parseDirective(again); len(problems) > 0 {
			t.Errorf("parseDirective(%q) is right, and %q is not: %v", comment, again, problems)
		}
	})
}

func TestSpacedVerb(t *testing.T) {
	for comment, want := range map[string]bool{
		"// party:room main":     true,
		"//\tparty:fetch":        true,
		"//party:room":           false,
		"// party:something":     false,
		"// see party:room":      false,
		"// //party:room":        false,
		"/* party:room */":       false,
		"// party:rooms are fun": false,
	} {
		if _, got := spacedVerb(comment); got != want {
			t.Errorf("spacedVerb(%q) = %v, want %v", comment, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	text := Explain()
	for i := range annotations {
		a := &annotations[i]
		if !strings.Contains(text, "\n"+a.grammar()+"\n") {
			t.Errorf("Explain does not have %q:\n%s", a.grammar(), text)
		}
		for _, o := range a.options {
			if !strings.Contains(text, o.form()+" ") || !strings.Contains(text, o.doc) {
				t.Errorf("Explain does not have option %q", o.form())
			}
		}
		if a.operand.show != "" && !strings.Contains(text, a.operand.show+"  "+a.operand.check("")) {
			t.Errorf("Explain does not say what %s of %s must be", a.operand.show, a.verb)
		}
		if a.signature+a.shape != "" && !strings.Contains(text, a.signature+a.shape+"\n") {
			t.Errorf("Explain does not have the signature of %s", a.verb)
		}
		if hasWords := a.operand.show != "" || len(a.options) > 0; hasWords != (a.example != "") {
			t.Errorf("%s has words: %v, and the example %q", a.verb, hasWords, a.example)
		}
		example := prefix + a.verb + " " + a.example
		if _, problems := parseDirective(example); len(problems) > 0 {
			t.Errorf("the example %s is wrong: %v", example, problems)
		}
	}
	for _, h := range hooks {
		if !strings.Contains(text, h.Method+h.signature) {
			t.Errorf("Explain does not have %s", h.Method)
		}
	}
}

// The page in docs is the same text.
func TestExplainIsDocumented(t *testing.T) {
	const path = "../docs/annotations.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), "```\n//party:room [name=NAME]")
	_, after, ok2 := strings.Cut(rest, "\n```\n")
	_, text, ok3 := strings.Cut(Explain(), "\n//party:room [name=NAME]")
	if !ok1 || !ok2 || !ok3 {
		t.Fatalf("%s has no block that begins with //party:room", path)
	}
	want := before + "```\n//party:room [name=NAME]" + strings.TrimSuffix(text, "\n") + "\n```\n" + after
	if want == string(page) {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("%s is not what Explain says; -update writes it", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
