package generator

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/goparty-dev/party/internal/diag"
)

var partyName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkPartyName says what a party's name must be, or "" if it is.
func checkPartyName(s string) string {
	if partyName.MatchString(s) {
		return ""
	}
	must := "lower-case letters and digits, with single hyphens between them"
	if k := kebab(s); k != "" {
		must += ", such as " + strconv.Quote(k)
	}
	return must
}

// kebab returns the party name of a Go type: words in lower case, joined by
// hyphens. A run of capitals is one word up to the one that begins the next
// (HTTPRoom, http-room), digits belong to the word before them (UserV2, user-v2),
// except where they and a capital are the word (Room2D, room-2d). It
// returns "" when the result is no party name, as for letters beyond ASCII.
func kebab(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		if c == '_' || c == '-' {
			b.WriteByte('-')
			continue
		}
		if i > 0 && beginsWord(r, i) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	parts := strings.FieldsFunc(b.String(), func(c rune) bool { return c == '-' })
	s := strings.Join(parts, "-")
	if !partyName.MatchString(s) {
		return ""
	}
	return s
}

func beginsWord(r []rune, i int) bool {
	before, c := r[i-1], r[i]
	nextLower := i+1 < len(r) && unicode.IsLower(r[i+1])
	switch {
	case unicode.IsUpper(c):
		return unicode.IsLower(before) || nextLower && (unicode.IsUpper(before) || unicode.IsDigit(before))
	case unicode.IsDigit(c) && unicode.IsLower(before):
		end := i
		for end < len(r) && unicode.IsDigit(r[end]) {
			end++
		}
		// A dimension: "2D", at the end or before a new word.
		return end < len(r) && unicode.IsUpper(r[end]) && (end+1 == len(r) || !unicode.IsLower(r[end+1]))
	}
	return false
}

// nearCallback returns the callback that a method's name was probably meant to
// be, or nil. It forgives one slip, upper and lower case, and other frameworks'
// habits such as OnMessages, OnConnected and GetConnectionTags. Names further away are
// somebody's own: OnState is not OnStart.
func nearCallback(method string) *hook {
	plain := strings.ToLower(strings.ReplaceAll(method, "_", ""))
	plain = strings.TrimPrefix(plain, "get")
	for i := range hooks {
		want := strings.ToLower(hooks[i].Method)
		rest, longer := strings.CutPrefix(plain, want)
		switch {
		case method == hooks[i].Method:
			return nil
		case longer && (rest == "" || rest == "s" || rest == "d" || rest == "ed" || rest == "ing"), slip(plain, want):
			return &hooks[i]
		}
	}
	return nil
}

// slip reports whether one letter too many, too few, wrong, or swapped with its
// neighbour is all that two words differ in.
func slip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// fresh returns the first of name, nameX, nameXX… that is not taken.
func fresh(taken func(string) bool, name, suffix string) string {
	for taken(name) {
		name += suffix
	}
	return name
}

// unknownName is the hint for a name that is not among known.
func unknownName(name string, known []string, none string) string {
	if len(known) == 0 {
		return none
	}
	if hint := diag.DidYouMean(name, known); hint != "" {
		return hint
	}
	return "there is: " + strings.Join(known, ", ")
}
