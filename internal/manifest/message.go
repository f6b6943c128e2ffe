package manifest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// label names the value at a path in a message: "migrations[0].tag".
func label(at []string) string {
	if len(at) == 0 {
		return "the manifest"
	}
	var b strings.Builder
	for i, part := range at {
		if _, err := strconv.Atoi(part); err == nil && i > 0 {
			b.WriteString("[" + part + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return quote(b.String())
}

// quote and cut keep what a user wrote to a length that fits into a message.
func quote(s string) string { return strconv.Quote(cut(s)) }

func cut(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func quoted(words []string) []string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = strconv.Quote(w)
	}
	return q
}

// or joins alternatives: "a, b or c".
func or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// kindName describes a value that is of the wrong type.
func kindName(v hujson.ValueTrimmed) string {
	switch v.Kind() {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return string(v.(hujson.Literal))
	case 'n':
		return "null"
	case '[':
		return "a list"
	default:
		return "an object"
	}
}
