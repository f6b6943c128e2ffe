// Package protocol is what clients and a program tell each other, as plain data, and what
// differs between two versions of that: which changes break clients that are out there.
//
// It knows neither Go source, from which package generator makes a Protocol, nor
// where the versions come from.
package protocol

import (
	"fmt"

	"github.com/goparty-dev/party/internal/diag"
)

// Protocol is everything that clients can rely on.
type Protocol struct {
	Parties []Party
	Events  []Message // that the program sends
}

// Party is one kind of room.
type Party struct {
	Name     string
	Messages []Message // that its rooms take
	Calls    []Call    // that clients may make
	Pos      diag.Position
}

// Message is a frame with a type.
type Message struct {
	Type string
	Data *Shape
	Pos  diag.Position
}

// Call is a method that clients may call.
type Call struct {
	Name    string
	Params  []*Shape // without the context
	Results []*Shape // without the error
	Pos     diag.Position
}

// Kind is what JSON makes of a value.
type Kind string

// The kinds of shapes.
const (
	Any      Kind = "any"      // nothing is known of it
	Boolean  Kind = "boolean"  //
	String   Kind = "string"   //
	Integer  Kind = "integer"  // with Bits and Signed
	Number   Kind = "number"   // with a fraction, and Bits
	Time     Kind = "time"     // a string, as RFC 3339 has it
	Bytes    Kind = "bytes"    // a string, base64
	List     Kind = "list"     // of Elem; with Len if that is fixed
	Map      Kind = "map"      // of Elem, by Key
	Object   Kind = "object"   // with Fields
	Nullable Kind = "nullable" // null, or Elem
)

// Shape is the form of a value. Shapes of types that mention themselves are cyclic.
type Shape struct {
	Kind   Kind
	Name   string   // of the type that the TypeScript module declares for it, or of a Go type that encodes itself; may be empty
	Values []string // all that there are, as TypeScript writes them; nil: any of the kind
	Bits   int
	Signed bool
	Len    int
	Key    *Shape
	Elem   *Shape
	Fields []Field
}

// Field is a field of an object.
type Field struct {
	Name     string // in JSON
	Go       string // in the struct
	Optional bool   // it may be missing
	Shape    *Shape
	Pos      diag.Position
}

// Change is one difference between two versions.
type Change struct {
	Breaking bool          `json:"breaking"`
	Code     string        `json:"code"`  // stable, lower case: "field-removed"
	Where    string        `json:"where"` // message "say" of party "chat", field "text"
	Message  string        `json:"message"`
	Old      diag.Position `json:"old,omitzero"` // none for what was added
	New      diag.Position `json:"new,omitzero"` // none for what was removed
}

// String is the change on one line, and on a second one where it was if it is still there.
func (c Change) String() string {
	effect, at := "compatible", c.New
	if c.Breaking {
		effect = "breaking"
	}
	if at == (diag.Position{}) {
		at = c.Old
	}
	s := fmt.Sprintf("%s: %s: %s: %s [%s]", at, effect, c.Where, c.Message, c.Code)
	if at != c.Old && c.Old != (diag.Position{}) {
		s += fmt.Sprintf("\n  %s: note: it was here", c.Old)
	}
	return s
}

// Rename changes the names of the files that positions are in.
func (p *Protocol) Rename(name func(file string) string) {
	set := func(pos *diag.Position) {
		if pos.File != "" {
			pos.File = name(pos.File)
		}
	}
	seen := make(map[*Shape]bool)
	walk := func(s *Shape) {
		s.each(seen, func(s *Shape) {
			for i := range s.Fields {
				set(&s.Fields[i].Pos)
			}
		})
	}
	for i := range p.Events {
		set(&p.Events[i].Pos)
		walk(p.Events[i].Data)
	}
	for i := range p.Parties {
		party := &p.Parties[i]
		set(&party.Pos)
		for n := range party.Messages {
			set(&party.Messages[n].Pos)
			walk(party.Messages[n].Data)
		}
		for n := range party.Calls {
			set(&party.Calls[n].Pos)
			for _, s := range party.Calls[n].shapes() {
				walk(s)
			}
		}
	}
}
