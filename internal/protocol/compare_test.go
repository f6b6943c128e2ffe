package protocol

import (
	"encoding/json"
	"testing"

	"github.com/goparty-dev/party/internal/diag"
)

func integer(bits int, signed bool) *Shape { return &Shape{Kind: Integer, Bits: bits, Signed: signed} }

func TestAccepts(t *testing.T) {
	any, text, moment, data := &Shape{Kind: Any}, &Shape{Kind: String}, &Shape{Kind: Time}, &Shape{Kind: Bytes}
	double, single := &Shape{Kind: Number, Bits: 64}, &Shape{Kind: Number, Bits: 32}
	list, three, four := &Shape{Kind: List, Elem: text}, &Shape{Kind: List, Elem: text, Len: 3}, &Shape{Kind: List, Elem: text, Len: 4}
	custom, other := &Shape{Kind: Any, Name: "model.ID"}, &Shape{Kind: Any, Name: "model.Key"}
	tests := []struct {
		wide, narrow *Shape
		want, back   bool // back: the other way round
	}{
		{any, text, true, false},
		{any, custom, true, false},
		{custom, other, false, false},
		{text, moment, true, false},
		{text, data, true, false},
		{moment, data, false, false},
		{double, single, true, false},
		{double, integer(64, true), true, false},
		{integer(64, true), integer(32, true), true, false},
		{integer(64, true), integer(32, false), true, false},
		{integer(64, false), integer(32, true), false, false},
		{integer(64, false), integer(64, true), false, false},
		{integer(8, false), integer(8, false), true, true},
		{list, three, true, false},
		{three, four, false, false},
		{text, double, false, false},
	}
	for _, tt := range tests {
		if got := accepts(tt.wide, tt.narrow); got != tt.want {
			t.Errorf("%v accepts %v: %v, want %v", tt.wide, tt.narrow, got, tt.want)
		}
		if got := accepts(tt.narrow, tt.wide); got != tt.back {
			t.Errorf("%v accepts %v: %v, want %v", tt.narrow, tt.wide, got, tt.back)
		}
	}
}

// A type may mention itself, and two versions of it still compare in finite time.
func TestCyclicShapes(t *testing.T) {
	version := func(leaf *Shape) *Protocol {
		node := &Shape{Kind: Object, Name: "Node"}
		children := &Shape{Kind: Nullable, Elem: &Shape{Kind: List, Elem: node}}
		node.Fields = []Field{{Name: "children", Go: "Children", Shape: children}, {Name: "leaf", Go: "Leaf", Shape: leaf}}
		return &Protocol{Events: []Message{{Type: "tree", Data: node}}}
	}
	if changes := Compare(version(&Shape{Kind: String}), version(&Shape{Kind: String})); len(changes) > 0 {
		t.Errorf("nothing has changed, but %v", changes)
	}
	changes := Compare(version(&Shape{Kind: String}), version(&Shape{Kind: Boolean}))
	if len(changes) != 1 || changes[0].Where != `event "tree", field "leaf"` {
		t.Errorf("changes are %v, want one of the field leaf", changes)
	}
	if !alike(version(&Shape{Kind: String}).Events[0].Data, version(&Shape{Kind: String}).Events[0].Data) ||
		alike(version(&Shape{Kind: String}).Events[0].Data, version(&Shape{Kind: Time}).Events[0].Data) {
		t.Error("alike does not tell cyclic shapes apart by their leaves")
	}
}

// TestChangeAsJSON is what --format json prints for programs to read.
func TestChangeAsJSON(t *testing.T) {
	c := Change{Breaking: true, Code: "event-removed", Where: `event "said"`, Message: "the event is gone", Old: diag.Position{File: "v1:a.go", Line: 3, Column: 1}}
	got, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"breaking":true,"code":"event-removed","where":"event \"said\"","message":"the event is gone","old":{"file":"v1:a.go","line":3,"column":1}}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := c.String(), `v1:a.go:3:1: breaking: event "said": the event is gone [event-removed]`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
