package dataform

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Record is the form in which rooms of one type have stored a persisted field, in one version of their data.
type Record struct {
	Party   string
	Type    string // the Go type of the rooms
	Version int
	Field   string // its name in the store
	Form    Form
}

// Directive begins the comment that holds a record.
const Directive = "//party:data "

// String is the comment that ParseRecord reads.
func (r Record) String() string {
	return fmt.Sprintf("%s%s %s %d %s %s", Directive, r.Party, r.Type, r.Version, r.Field, r.Form)
}

// ParseRecord reads a comment; ok is false for one that holds no record.
func ParseRecord(comment string) (r Record, ok bool) {
	text, ok := strings.CutPrefix(comment, Directive)
	words := strings.SplitN(text, " ", 5)
	if !ok || len(words) < 5 {
		return Record{}, false
	}
	version, err := strconv.Atoi(words[2])
	if err != nil {
		return Record{}, false
	}
	form, err := Parse(words[4])
	if err != nil {
		return Record{}, false
	}
	return Record{Party: words[0], Type: words[1], Version: version, Field: words[3], Form: form}, true
}

// Mismatch says what is wrong with a field that cannot read what is recorded. Field is empty if it is
// the room type as a whole.
type Mismatch struct {
	Field string
	Text  string // "it was a string and is an int"
}

// Compare compares the records of a room type with its fields, by their names in the store, and the version of its data. It
// returns what does not fit, and what is to be recorded from now on: records that something does not
// fit are kept as long as the version is the same.
func Compare(recorded []Record, party, typ string, version int, fields map[string]Form) (wrong []Mismatch, next []Record) {
	keep := make(map[string]Record)
	for _, r := range recorded {
		switch {
		case r.Version > version:
			return []Mismatch{{Text: fmt.Sprintf("it knows version %d of its data, and version %d is recorded", version, r.Version)}}, recorded
		case r.Version < version:
			continue // migrated
		}
		form, ok := fields[r.Field]
		why := "it is not there any more"
		if ok {
			why = form.Reads(r.Form)
		}
		if why != "" {
			wrong = append(wrong, Mismatch{Field: r.Field, Text: why})
			r.Party, r.Type = party, typ
			keep[r.Field] = r
		}
	}
	for name, form := range fields {
		if _, ok := keep[name]; !ok {
			keep[name] = Record{Party: party, Type: typ, Version: version, Field: name, Form: form}
		}
	}
	for _, r := range keep {
		next = append(next, r)
	}
	slices.SortFunc(next, func(a, b Record) int { return cmp.Compare(a.Field, b.Field) })
	slices.SortFunc(wrong, func(a, b Mismatch) int { return cmp.Compare(a.Field, b.Field) })
	return wrong, next
}
