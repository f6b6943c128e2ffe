package diag

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// List is any number of diagnostics. As an error it reads as its lines; use
// [List.Err] to make one, since a nil List in an error is not nil. In JSON it
// is always an array.
type List []Diagnostic

var _ error = List(nil)

// Error returns one line for each diagnostic.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Errorf adds an error and returns it, so that a hint or related positions
// can be added. The pointer is good until the next addition.
func (l *List) Errorf(pos Position, code, format string, args ...any) *Diagnostic {
	return l.add(Error, pos, code, fmt.Sprintf(format, args...))
}

// Warnf is Errorf for a warning.
func (l *List) Warnf(pos Position, code, format string, args ...any) *Diagnostic {
	return l.add(Warning, pos, code, fmt.Sprintf(format, args...))
}

func (l *List) add(s Severity, pos Position, code, message string) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: s, Pos: pos, Code: code, Message: message})
	return &(*l)[len(*l)-1]
}

// HasErrors reports whether any diagnostic is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err returns the list as an error if it has an error in it, else nil.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return l
}

// Sorted returns a copy in the order of files, lines and columns, with equal
// diagnostics only once. What has no place comes first.
func (l List) Sorted() List {
	s := slices.Clone(l)
	slices.SortStableFunc(s, compare)
	return slices.CompactFunc(s, func(a, b Diagnostic) bool { return reflect.DeepEqual(a, b) })
}

// compare orders diagnostics so that equal ones are neighbours.
func compare(a, b Diagnostic) int {
	return cmp.Or(
		comparePositions(a.Pos, b.Pos),
		cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Hint, b.Hint),
		slices.CompareFunc(a.Related, b.Related, func(a, b Related) int {
			return cmp.Or(comparePositions(a.Pos, b.Pos), cmp.Compare(a.Message, b.Message))
		}),
	)
}

func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// MarshalJSON writes an array, empty for a nil list.
func (l List) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Diagnostic(l))
}
