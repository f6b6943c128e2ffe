package dataform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var plain = []string{"string", "bool", "int", "number", "bytes", "time", "any", "unknown", "quoted-int", "quoted-number", "quoted-bool"}

// maxDepth is how deep forms may be in one another.
const maxDepth = 1000

// Parse reads what Form.String has written.
func Parse(s string) (Form, error) {
	p := parser{rest: s}
	f, err := p.form(0)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("there is more behind it: %q", p.rest)
	}
	if err != nil {
		return Form{}, fmt.Errorf("form %q: %w", s, err)
	}
	return f, nil
}

type parser struct{ rest string }

func (p *parser) take(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) want(s string) error {
	if !p.take(s) {
		return fmt.Errorf("want %q before %q", s, p.rest)
	}
	return nil
}

func (p *parser) form(depth int) (Form, error) {
	if depth > maxDepth {
		return Form{}, fmt.Errorf("it is too deep")
	}
	if p.take("{") {
		return p.fields(depth)
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch {
	case slices.Contains(plain, word):
		return Form{Kind: strings.Replace(word, "-", " ", 1)}, nil
	case word == "list" || word == "map":
		if err := p.want("("); err != nil {
			return Form{}, err
		}
		elem, err := p.form(depth + 1)
		if err != nil {
			return Form{}, err
		}
		return composed(word, elem), p.want(")")
	case word == "text" || word == "json" || word == "again":
		if err := p.want("("); err != nil {
			return Form{}, err
		}
		name, err := p.quoted()
		if err != nil {
			return Form{}, err
		}
		return Form{Kind: word, Name: name}, p.want(")")
	}
	return Form{}, fmt.Errorf("unknown word %q", word)
}

func (p *parser) fields(depth int) (Form, error) {
	f := Form{Kind: "struct"}
	for !p.take("}") {
		if len(f.Fields) > 0 {
			if err := p.want(", "); err != nil {
				return Form{}, err
			}
		}
		name, err := p.quoted()
		if err == nil {
			err = p.want(": ")
		}
		if err != nil {
			return Form{}, err
		}
		of, err := p.form(depth + 1)
		if err != nil {
			return Form{}, err
		}
		f.Fields = append(f.Fields, Field{name, of})
	}
	return f, nil
}

func (p *parser) quoted() (string, error) {
	quoted, err := strconv.QuotedPrefix(p.rest)
	if err != nil || quoted[0] != '"' {
		return "", fmt.Errorf("want a name in quotes before %q", p.rest)
	}
	p.rest = p.rest[len(quoted):]
	return strconv.Unquote(quoted)
}
