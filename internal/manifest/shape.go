package manifest

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
)

// shape is what a value may be. The same shape checks a manifest and
// describes itself in the schema.
type shape interface {
	// kinds are those a value of this shape may have.
	kinds() []hujson.Kind
	// wants describes the shape in messages: "a string".
	wants() string
	// check reports what is wrong with v, whose kind is one of kinds, and
	// returns it in normal form: what encoding/json reads into a Manifest.
	// False means that there is no such form.
	check(r *reader, at []string, v *hujson.Value) (any, bool)
	// schema describes the shape in JSON Schema.
	schema() node
}

// text is a string. pattern, if not nil, is in the common subset of Go and
// JavaScript, and must says in words what it wants: "must be …". rule, if not
// nil, sees what matches the pattern and returns what the string must be instead, or "".
type text struct {
	pattern *regexp.Regexp
	must    string
	rule    func(string) (must string)
}

func (text) kinds() []hujson.Kind { return []hujson.Kind{'"'} }
func (text) wants() string        { return "a string" }

func (s text) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	str := v.Value.(hujson.Literal).String()
	if wrong := s.wrong(str); wrong != "" {
		r.errorf(v, "bad-value", "%s %s, not %s", label(at), wrong, quote(str))
		return nil, false
	}
	return str, true
}

// wrong returns "must be …" if str is not what is wanted, else "".
func (s text) wrong(str string) string {
	must := ""
	if s.pattern != nil && !s.pattern.MatchString(str) {
		must = s.must
	} else if s.rule != nil {
		must = s.rule(str)
	}
	if must == "" {
		return ""
	}
	return "must be " + must
}

func (s text) schema() node {
	n := node{Type: "string"}
	if s.pattern != nil {
		n.Pattern = s.pattern.String()
	}
	return n
}

// boolean is true or false.
type boolean struct{}

func (boolean) kinds() []hujson.Kind { return []hujson.Kind{'t', 'f'} }
func (boolean) wants() string        { return "true or false" }
func (boolean) schema() node         { return node{Type: "boolean"} }
func (boolean) check(_ *reader, _ []string, v *hujson.Value) (any, bool) {
	return v.Value.(hujson.Literal).Bool(), true
}

// integer is a whole number from min to max.
type integer struct{ min, max int64 }

func (integer) kinds() []hujson.Kind { return []hujson.Kind{'0'} }
func (integer) wants() string        { return "a whole number" }
func (s integer) schema() node       { return node{Type: "integer", Minimum: &s.min, Maximum: &s.max} }

func (s integer) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	lit := string(v.Value.(hujson.Literal))
	n, err := strconv.ParseInt(lit, 10, 64)
	if err != nil && strings.ContainsAny(lit, ".eE") {
		r.errorf(v, "wrong-type", "%s must be a whole number, not %s", label(at), cut(lit))
		return nil, false
	}
	if err != nil || n < s.min || n > s.max {
		r.errorf(v, "bad-value", "%s must be between %d and %d, not %s", label(at), s.min, s.max, cut(lit))
		return nil, false
	}
	return n, true
}

// seconds is a number greater than zero, at most a year.
type seconds struct{}

const maxSeconds = 365 * 24 * 3600

func (seconds) kinds() []hujson.Kind { return []hujson.Kind{'0'} }
func (seconds) wants() string        { return "a number" }
func (seconds) schema() node {
	var zero, most int64 = 0, maxSeconds
	return node{Type: "number", ExclusiveMinimum: &zero, Maximum: &most}
}

func (seconds) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	n := v.Value.(hujson.Literal).Float()
	// Shorter than a nanosecond is nothing.
	if !(n >= 1e-9 && n <= maxSeconds) {
		r.errorf(v, "bad-value", "%s must be greater than 0 and at most %d, not %s", label(at), maxSeconds, cut(string(v.Value.(hujson.Literal))))
		return nil, false
	}
	return n, true
}

// choice is one of several strings.
type choice []string

func (choice) kinds() []hujson.Kind { return []hujson.Kind{'"'} }
func (c choice) wants() string      { return "a string" }
func (c choice) schema() node       { return node{Enum: c} }

func (c choice) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	str := v.Value.(hujson.Literal).String()
	if !slices.Contains(c, str) {
		d := r.errorf(v, "bad-value", "%s must be %s, not %s", label(at), or(quoted(c)), quote(str))
		d.Hint = diag.DidYouMean(str, c)
		return nil, false
	}
	return str, true
}

// absent is null: as if the key were not there.
type absent struct{}

func (absent) kinds() []hujson.Kind                               { return []hujson.Kind{'n'} }
func (absent) wants() string                                      { return "null" }
func (absent) schema() node                                       { return node{Type: "null"} }
func (absent) check(*reader, []string, *hujson.Value) (any, bool) { return nil, true }

// anything is any JSON value.
type anything struct{}

func (anything) kinds() []hujson.Kind { return []hujson.Kind{'n', 't', 'f', '"', '0', '{', '['} }
func (anything) wants() string        { return "a value" }
func (anything) schema() node         { return node{} }

func (s anything) check(r *reader, at []string, v *hujson.Value) (any, bool) {
	switch x := v.Value.(type) {
	case *hujson.Object:
		return dict{of: s}.check(r, at, v)
	case *hujson.Array:
		return list{of: s}.check(r, at, v)
	case hujson.Literal:
		switch x.Kind() {
		case '"':
			return x.String(), true
		case '0':
			n, err := strconv.ParseFloat(string(x), 64)
			if err != nil || math.IsInf(n, 0) {
				r.errorf(v, "bad-value", "%s is a number that is out of range", label(at))
				return nil, false
			}
			return n, true
		case 'n':
			return nil, true
		default:
			return x.Bool(), true
		}
	}
	panic(fmt.Sprintf("manifest: unknown syntax %T", v.Value))
}
