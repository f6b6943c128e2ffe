package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// node is a JSON Schema (draft 7).
type node struct {
	Description          string      `json:"description,omitempty"`
	Type                 string      `json:"type,omitempty"`
	Default              any         `json:"default,omitempty"`
	Enum                 []string    `json:"enum,omitempty"`
	Pattern              string      `json:"pattern,omitempty"`
	Minimum              *int64      `json:"minimum,omitempty"`
	ExclusiveMinimum     *int64      `json:"exclusiveMinimum,omitempty"`
	Maximum              *int64      `json:"maximum,omitempty"`
	MinItems             *int64      `json:"minItems,omitempty"`
	Items                *node       `json:"items,omitempty"`
	AnyOf                []node      `json:"anyOf,omitempty"`
	PropertyNames        *node       `json:"propertyNames,omitempty"`
	Properties           *properties `json:"properties,omitempty"`
	Required             []string    `json:"required,omitempty"`
	AdditionalProperties any         `json:"additionalProperties,omitempty"` // false or a node
}

// properties are those of an object, in the order of the table of keys.
type properties struct {
	names []string
	nodes []node
}

func (p *properties) add(name string, n node) {
	p.names, p.nodes = append(p.names, name), append(p.nodes, n)
}

// MarshalJSON keeps the order.
func (p *properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range p.names {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := encode(p.nodes[i])
		if err != nil {
			return nil, fmt.Errorf("encode the schema of %q: %w", name, err)
		}
		fmt.Fprintf(&b, "%q:%s", name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode is json.Marshal without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Schema returns the JSON schema of a manifest, made from the table of keys
// that Parse uses; schema.json in this package's folder is a copy. What it accepts is a little
// more than what Parse does: rules that no pattern can say are left out.
func Schema() []byte {
	n := root.schema()
	n.Description = "party.json, the manifest of a party project."
	data, err := encode(struct {
		Draft string `json:"$schema"`
		Title string `json:"title"`
		node
		AllowComments       bool `json:"allowComments"` // both are understood by Visual Studio Code
		AllowTrailingCommas bool `json:"allowTrailingCommas"`
	}{"http://json-schema.org/draft-07/schema#", "party.json", n, true, true})
	if err != nil {
		panic(fmt.Sprintf("manifest: encode the schema: %v", err))
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		panic(fmt.Sprintf("manifest: indent the schema: %v", err))
	}
	return b.Bytes()
}
