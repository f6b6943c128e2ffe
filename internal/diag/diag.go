// Package diag is how problems in what a user wrote are described: in Go
// source, in party.json, in an annotation. A problem is data until the edge
// renders it for a terminal, a browser or an editor.
//
// It is not for failures of the program itself; those are ordinary errors.
package diag

import (
	"fmt"
	"strconv"
)

// Severity orders diagnostics by whether work can go on.
type Severity uint8

const (
	Error   Severity = iota // nothing can be produced
	Warning                 // produced, but look at it
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText writes "error" or "warning".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(text []byte) error {
	switch string(text) {
	case "error":
		*s = Error
	case "warning":
		*s = Warning
	default:
		return fmt.Errorf("unknown severity %q", text)
	}
	return nil
}

// Position is a place in a file. Line and Column count from 1, Column in
// bytes. A zero Line means the file as a whole, an empty File no place at all.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, without the parts that are not known.
func (p Position) String() string {
	s := p.File
	if p.File == "" || p.Line <= 0 {
		return s
	}
	s += ":" + strconv.Itoa(p.Line)
	if p.Column > 0 {
		s += ":" + strconv.Itoa(p.Column)
	}
	return s
}

// Related is a second place that explains a diagnostic.
type Related struct {
	Pos     Position `json:"pos"`
	Message string   `json:"message"`
}

// Diagnostic is one problem.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Pos      Position `json:"pos"`
	// Code is stable, lower case, and names the kind of problem: "unknown-key".
	Code    string    `json:"code,omitempty"`
	Message string    `json:"message"`        // one line, lower case, no full stop
	Hint    string    `json:"hint,omitempty"` // what to do about it; may have several lines
	Related []Related `json:"related,omitempty"`
	// Sensitive says that the source line may hold a secret and must not be shown.
	Sensitive bool `json:"sensitive,omitempty"`
}

// String returns the diagnostic as its first line: position, severity,
// message and code.
func (d Diagnostic) String() string {
	s := d.Severity.String() + ": " + d.Message
	if pos := d.Pos.String(); pos != "" {
		s = pos + ": " + s
	}
	if d.Code != "" {
		s += " [" + d.Code + "]"
	}
	return s
}
