package generator

import (
	"go/types"

	"github.com/goparty-dev/party/internal/protocol"
)

// Protocol returns what clients and the program tell each other.
func (m *Model) Protocol() *protocol.Protocol {
	s := &shapes{model: m, names: newTSTypes(), known: make(map[types.Type]*protocol.Shape)}
	p := new(protocol.Protocol)
	for part := range m.All() {
		for _, e := range part.Events {
			p.Events = append(p.Events, protocol.Message{Type: e.Type, Data: s.of(e.data), Pos: e.pos})
		}
	}
	for r := range m.AllRooms() {
		party := protocol.Party{Name: r.Party, Pos: r.pos}
		for _, f := range r.Messages {
			party.Messages = append(party.Messages, protocol.Message{Type: f.Type, Data: s.of(f.data), Pos: f.pos})
		}
		for _, f := range r.Methods {
			if f.Public {
				party.Calls = append(party.Calls, protocol.Call{Name: f.Name, Params: s.all(f.params), Results: s.all(f.results), Pos: f.pos})
			}
		}
		p.Parties = append(p.Parties, party)
	}
	return p
}

// shapes says what encoding/json makes of Go types. It goes with tsTypes, which says the same in TypeScript.
type shapes struct {
	model *Model
	names *tsTypes
	known map[types.Type]*protocol.Shape // named types, which may be recursive
}

func (s *shapes) all(list []types.Type) []*protocol.Shape {
	var out []*protocol.Shape
	for _, t := range list {
		out = append(out, s.of(t))
	}
	return out
}

func (s *shapes) of(t types.Type) *protocol.Shape {
	t = types.Unalias(t)
	if known := s.known[t]; known != nil {
		return known
	}
	named, isNamed := t.(*types.Named)
	switch {
	case isTime(t):
		return &protocol.Shape{Kind: protocol.Time}
	case hasMethod(t, "MarshalJSON"):
		return &protocol.Shape{Kind: protocol.Any, Name: types.TypeString(t, (*types.Package).Name)}
	case hasMethod(t, "MarshalText"):
		return &protocol.Shape{Kind: protocol.String}
	case isNamed:
		return s.named(named)
	}
	return s.plain(t.Underlying())
}

// named enters the shape before its fields are looked at, which may be of the same type.
func (s *shapes) named(t *types.Named) *protocol.Shape {
	shape := new(protocol.Shape)
	s.known[t] = shape
	*shape = *s.plain(t.Underlying())
	values := constants(t)
	if shape.Kind == protocol.Object || len(values) > 0 {
		if t.TypeArgs().Len() == 0 {
			shape.Name = s.names.declare(t)
		}
		shape.Values = values
	}
	return shape
}

func (s *shapes) plain(t types.Type) *protocol.Shape {
	switch t := t.(type) {
	case *types.Basic:
		return basicShape(t)
	case *types.Pointer:
		return orNothing(s.of(t.Elem()))
	case *types.Slice:
		if b, ok := t.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
			return orNothing(&protocol.Shape{Kind: protocol.Bytes})
		}
		return orNothing(&protocol.Shape{Kind: protocol.List, Elem: s.of(t.Elem())})
	case *types.Array:
		return &protocol.Shape{Kind: protocol.List, Elem: s.of(t.Elem()), Len: int(t.Len())}
	case *types.Map:
		return orNothing(&protocol.Shape{Kind: protocol.Map, Key: s.of(t.Key()), Elem: s.of(t.Elem())})
	case *types.Struct:
		shape := &protocol.Shape{Kind: protocol.Object}
		for _, f := range jsonFields(t, false, make(map[*types.Struct]bool)) {
			shape.Fields = append(shape.Fields, s.field(f))
		}
		return shape
	}
	return &protocol.Shape{Kind: protocol.Any}
}

func (s *shapes) field(f jsonField) protocol.Field {
	shape := s.of(f.field.Type())
	if f.omitted && shape.Kind == protocol.Nullable {
		shape = shape.Elem
	}
	if f.quoted {
		switch shape.Kind {
		case protocol.Integer, protocol.Number, protocol.Boolean:
			shape = &protocol.Shape{Kind: protocol.String}
		}
	}
	return protocol.Field{Name: f.name, Go: f.field.Name(), Optional: f.optional, Shape: shape, Pos: s.model.types.pos(f.field)}
}

func orNothing(s *protocol.Shape) *protocol.Shape {
	if s.Kind == protocol.Nullable || s.Kind == protocol.Any {
		return s
	}
	return &protocol.Shape{Kind: protocol.Nullable, Elem: s}
}

func basicShape(b *types.Basic) *protocol.Shape {
	bits := map[types.BasicKind]int{
		types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Float32: 32,
	}[b.Kind()]
	if bits == 0 {
		bits = 64
	}
	switch {
	case b.Info()&types.IsBoolean != 0:
		return &protocol.Shape{Kind: protocol.Boolean}
	case b.Info()&types.IsString != 0:
		return &protocol.Shape{Kind: protocol.String}
	case b.Info()&types.IsInteger != 0:
		return &protocol.Shape{Kind: protocol.Integer, Bits: bits, Signed: b.Info()&types.IsUnsigned == 0}
	case b.Info()&types.IsFloat != 0:
		return &protocol.Shape{Kind: protocol.Number, Bits: bits}
	}
	return &protocol.Shape{Kind: protocol.Any}
}
