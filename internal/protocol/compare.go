package protocol

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/goparty-dev/party/internal/diag"
)

// Compare returns what has changed from old to now, those changes first that break clients, else in
// the order of Where. Breaking is what keeps a client that was made for old from
// working, or one in TypeScript from compiling, without it being changed:
// what it sends must be understood, what it is sent must be what it expects.
func Compare(old, now *Protocol) []Change {
	c := &comparison{renamed: make(map[string]bool)}
	c.now = typeNames(now)
	match(old.Parties, now.Parties, func(p Party) string { return p.Name },
		func(p Party) {
			c.add(Change{true, "party-removed", party(p), "the party is gone", p.Pos, diag.Position{}})
		},
		func(p Party) {
			c.add(Change{false, "party-added", party(p), "the party is new", diag.Position{}, p.Pos})
		},
		c.party)
	sent := func(m Message) string { return fmt.Sprintf("event %q", m.Type) }
	match(old.Events, now.Events, func(m Message) string { return m.Type },
		func(m Message) {
			c.add(Change{true, "event-removed", sent(m), "the event is gone", m.Pos, diag.Position{}})
		},
		func(m Message) {
			c.add(Change{false, "event-added", sent(m), "the event is new", diag.Position{}, m.Pos})
		},
		func(a, b Message) { c.from(place{sent(a), a.Pos, b.Pos, false}, a.Data, b.Data) })
	slices.SortStableFunc(c.changes, func(a, b Change) int {
		if a.Breaking != b.Breaking {
			return map[bool]int{true: -1, false: 1}[a.Breaking]
		}
		return cmp.Compare(a.Where, b.Where)
	})
	return c.changes
}

// comparison collects changes.
type comparison struct {
	changes []Change
	seen    map[visit]bool
	now     map[string]bool // names of types that there are
	renamed map[string]bool // types whose end has been told
}

// visit is a comparison that has been made: shapes may be cyclic, and are shared.
type visit struct {
	old, now *Shape
	received bool
}

// place is what is compared. Of what the program receives, new code must take what old clients
// send; of what it sends, old clients must take what new code sends.
type place struct {
	where    string
	old, now diag.Position
	received bool
}

func (p place) in(more string) place {
	p.where += more
	return p
}

func (c *comparison) add(change Change) { c.changes = append(c.changes, change) }

func (c *comparison) at(p place, breaking bool, code, format string, args ...any) {
	c.add(Change{breaking, code, p.where, fmt.Sprintf(format, args...), p.old, p.now})
}

// match pairs what has the same key.
func match[T any](old, now []T, key func(T) string, removed, added func(T), both func(a, b T)) {
	for _, a := range old {
		if i := slices.IndexFunc(now, func(b T) bool { return key(a) == key(b) }); i >= 0 {
			both(a, now[i])
		} else {
			removed(a)
		}
	}
	for _, b := range now {
		if !slices.ContainsFunc(old, func(a T) bool { return key(a) == key(b) }) {
			added(b)
		}
	}
}

func party(p Party) string { return fmt.Sprintf("party %q", p.Name) }

func (c *comparison) party(old, now Party) {
	of := " of " + party(now)
	taken := func(m Message) string { return fmt.Sprintf("message %q", m.Type) + of }
	match(old.Messages, now.Messages, func(m Message) string { return m.Type },
		func(m Message) {
			c.add(Change{true, "message-removed", taken(m), "the message is not taken any more", m.Pos, diag.Position{}})
		},
		func(m Message) {
			c.add(Change{false, "message-added", taken(m), "the message is new", diag.Position{}, m.Pos})
		},
		func(a, b Message) { c.from(place{taken(a), a.Pos, b.Pos, true}, a.Data, b.Data) })
	called := func(m Call) string { return "call " + m.Name + of }
	match(old.Calls, now.Calls, func(m Call) string { return m.Name },
		func(m Call) {
			c.add(Change{true, "call-removed", called(m), "clients cannot call it any more", m.Pos, diag.Position{}})
		},
		func(m Call) {
			c.add(Change{false, "call-added", called(m), "clients can call it now", diag.Position{}, m.Pos})
		},
		func(a, b Call) { c.call(place{called(a), a.Pos, b.Pos, true}, a, b) })
}

func (c *comparison) call(p place, old, now Call) {
	if len(old.Params) != len(now.Params) {
		c.at(p, true, "call-changed", "it takes %s, and took %d", count(len(now.Params), "argument"), len(old.Params))
	} else {
		for i := range old.Params {
			c.from(p.in(fmt.Sprintf(", argument %d", i+1)), old.Params[i], now.Params[i])
		}
	}
	p.received = false
	if len(old.Results) != len(now.Results) {
		c.at(p, true, "call-changed", "it returns %s, and returned %d", count(len(now.Results), "result"), len(old.Results))
		return
	}
	for i := range old.Results {
		c.from(p.in(fmt.Sprintf(", result %d", i+1)), old.Results[i], now.Results[i])
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// from begins with shapes that are not part of others. What they share is told once.
func (c *comparison) from(p place, old, now *Shape) {
	c.seen = make(map[visit]bool)
	c.shape(p, old, now)
}

func (c *comparison) shape(p place, old, now *Shape) {
	c.name(p, old.bare(), now.bare())
	wide, narrow := now, old
	if !p.received {
		wide, narrow = old, now
	}
	switch {
	case !accepts(wide.bare(), narrow.bare()) && (p.received || !numeric(old.bare(), now.bare())):
		c.at(p, true, "type-changed", "it is %s, and was %s", now, old)
		return
	case narrow.Kind == Nullable && wide.Kind != Nullable && wide.bare().Kind != Any:
		c.at(p, true, "type-changed", "it is %s, and was %s", now, old)
	case old.bare().Kind != now.bare().Kind || old.Kind != now.Kind || old.bare().Bits != now.bare().Bits || old.bare().Signed != now.bare().Signed || old.bare().Len != now.bare().Len:
		c.at(p, false, "type-changed", "it is %s, and was %s", now, old)
	}
	old, now = old.bare(), now.bare()
	key := visit{old, now, p.received}
	if old.Kind != now.Kind || c.seen[key] {
		return
	}
	c.seen[key] = true
	c.values(p, old, now)
	switch old.Kind {
	case List:
		c.shape(p.in(", element"), old.Elem, now.Elem)
	case Map:
		c.shape(p.in(", key"), old.Key, now.Key)
		c.shape(p.in(", value"), old.Elem, now.Elem)
	case Object:
		c.fields(p, old, now)
	}
}

// name tells that a type which the TypeScript module had is not there any more.
func (c *comparison) name(p place, old, now *Shape) {
	if old.Name == "" || old.Kind == Any || c.now[old.Name] || c.renamed[old.Name] {
		return
	}
	c.renamed[old.Name] = true
	is := ""
	if now.Name != "" {
		is = ": it is " + now.Name + " now"
	}
	c.at(place{where: "type " + old.Name, old: p.old, now: p.now}, true, "type-removed", "the TypeScript module does not have it any more%s", is)
}

// values compares types of which all values are known.
func (c *comparison) values(p place, old, now *Shape) {
	switch {
	case old.Values == nil && now.Values == nil:
	case old.Values == nil:
		c.at(p, p.received, "type-changed", "it is one of %s, and was any %s", describeValues(now), old.Kind)
	case now.Values == nil:
		c.at(p, !p.received, "type-changed", "it is any %s, and was one of %s", now.Kind, describeValues(old))
	default:
		for _, v := range old.Values {
			if !slices.Contains(now.Values, v) {
				c.at(p, true, "value-removed", "the value %s is gone", v)
			}
		}
		for _, v := range now.Values {
			if !slices.Contains(old.Values, v) {
				c.at(p, false, "value-added", "the value %s is new", v)
			}
		}
	}
}

func describeValues(s *Shape) string {
	bare := *s
	bare.Name = ""
	return bare.String()
}

func (c *comparison) fields(p place, old, now *Shape) {
	var gone, come []Field
	match(old.Fields, now.Fields, func(f Field) string { return f.Name },
		func(f Field) { gone = append(gone, f) },
		func(f Field) { come = append(come, f) },
		func(a, b Field) {
			at := p.in(fmt.Sprintf(", field %q", a.Name))
			at.old, at.now = a.Pos, b.Pos
			switch {
			case a.Optional && !b.Optional && p.received:
				c.at(at, true, "field-required", "it is required, and was optional")
			case a.Optional && !b.Optional:
				c.at(at, false, "field-required", "it is always there, and was optional")
			case !a.Optional && b.Optional:
				c.at(at, !p.received, "field-optional", "it is optional, and was required")
			}
			c.shape(at, a.Shape, b.Shape)
		})
	for _, f := range gone {
		at := p.in(fmt.Sprintf(", field %q", f.Name))
		at.old = f.Pos
		if i := successor(f, gone, come); i >= 0 {
			at.now = come[i].Pos
			c.at(at, true, "field-renamed", "it is called %q now", come[i].Name)
			come = slices.Delete(come, i, i+1)
			continue
		}
		at.now = diag.Position{}
		c.at(at, true, "field-removed", "the field is gone")
	}
	for _, f := range come {
		at := p.in(fmt.Sprintf(", field %q", f.Name))
		at.old, at.now = diag.Position{}, f.Pos
		if p.received && !f.Optional {
			c.at(at, true, "required-field-added", "the field is new and required: omitempty makes it optional")
		} else {
			c.at(at, false, "field-added", "the field is new")
		}
	}
}

// successor finds the field that f has become: the one of the same name in Go, or else the only
// new one of the same form if f is the only one that is gone. -1 is none.
func successor(f Field, gone, come []Field) int {
	i := slices.IndexFunc(come, func(g Field) bool { return g.Go == f.Go && alike(f.Shape, g.Shape) })
	if i < 0 && len(gone) == 1 && len(come) == 1 && alike(f.Shape, come[0].Shape) {
		return 0
	}
	return i
}

// typeNames are the names of all types that a protocol declares.
func typeNames(p *Protocol) map[string]bool {
	names, seen := make(map[string]bool), make(map[*Shape]bool)
	add := func(s *Shape) {
		s.each(seen, func(s *Shape) {
			if s.Kind != Any {
				names[s.Name] = true
			}
		})
	}
	for _, m := range p.Events {
		add(m.Data)
	}
	for _, party := range p.Parties {
		for _, m := range party.Messages {
			add(m.Data)
		}
		for _, call := range party.Calls {
			for _, s := range call.shapes() {
				add(s)
			}
		}
	}
	return names
}
