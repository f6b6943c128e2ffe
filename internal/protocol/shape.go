package protocol

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// String describes the shape in the terms of TypeScript, two levels deep.
func (s *Shape) String() string { return s.describe(2) }

func (s *Shape) describe(depth int) string {
	switch {
	case s.Name != "" && (s.Kind == Object || s.Kind == Any || s.Values != nil):
		return s.Name
	case s.Values != nil:
		return strings.Join(s.Values, " | ")
	}
	switch s.Kind {
	case Nullable:
		return s.Elem.describe(depth) + " | null"
	case List:
		if s.Len > 0 {
			return fmt.Sprintf("[%d]%s", s.Len, s.Elem.describe(depth))
		}
		return "Array<" + s.Elem.describe(depth) + ">"
	case Map:
		return "Record<" + s.Key.describe(depth) + ", " + s.Elem.describe(depth) + ">"
	case Integer:
		if s.Signed {
			return fmt.Sprintf("int%d", s.Bits)
		}
		return fmt.Sprintf("uint%d", s.Bits)
	case Number:
		return fmt.Sprintf("float%d", s.Bits)
	case Object:
		if depth == 0 {
			return "{ … }"
		}
		var fields []string
		for _, f := range s.Fields {
			mark := ""
			if f.Optional {
				mark = "?"
			}
			fields = append(fields, f.Name+mark+": "+f.Shape.describe(depth-1))
		}
		return "{ " + strings.Join(fields, "; ") + " }"
	}
	return string(s.Kind)
}

// each visits the shape and all that it is made of, each once.
func (s *Shape) each(seen map[*Shape]bool, visit func(*Shape)) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	visit(s)
	s.Key.each(seen, visit)
	s.Elem.each(seen, visit)
	for _, f := range s.Fields {
		f.Shape.each(seen, visit)
	}
}

// shapes are those of arguments and results.
func (c Call) shapes() []*Shape { return slices.Concat(c.Params, c.Results) }

// bare is the shape without null.
func (s *Shape) bare() *Shape {
	if s.Kind == Nullable {
		return s.Elem
	}
	return s
}

// accepts reports whether whoever understands every value of wide understands every value of narrow,
// as far as their kinds go: what is inside of lists, maps and objects is not looked at.
func accepts(wide, narrow *Shape) bool {
	if wide.Kind == Any && wide.Name == "" {
		return true
	}
	switch {
	case wide.Kind == narrow.Kind:
		switch wide.Kind {
		case Integer:
			return within(wide, narrow)
		case Number:
			return wide.Bits >= narrow.Bits
		case List:
			return wide.Len == 0 || wide.Len == narrow.Len
		case Any:
			return wide.Name == narrow.Name
		}
		return true
	case wide.Kind == Number:
		return narrow.Kind == Integer
	case wide.Kind == String:
		return narrow.Kind == Time || narrow.Kind == Bytes
	}
	return false
}

// within reports whether integers of one shape hold all of another.
func within(wide, narrow *Shape) bool {
	low := func(s *Shape) float64 {
		if s.Signed {
			return -math.Pow(2, float64(s.Bits-1))
		}
		return 0
	}
	high := func(s *Shape) float64 {
		if s.Signed {
			return math.Pow(2, float64(s.Bits-1))
		}
		return math.Pow(2, float64(s.Bits))
	}
	return low(wide) <= low(narrow) && high(wide) >= high(narrow)
}

// numeric reports whether JavaScript takes values of both shapes for numbers.
func numeric(a, b *Shape) bool {
	is := func(s *Shape) bool { return s.Kind == Integer || s.Kind == Number }
	return is(a) && is(b)
}

// alike reports whether two shapes look the same from outside; the names of objects do not count.
func alike(a, b *Shape) bool {
	seen := make(map[[2]*Shape]bool)
	var same func(a, b *Shape) bool
	same = func(a, b *Shape) bool {
		if a == nil || b == nil {
			return a == b
		}
		if seen[[2]*Shape{a, b}] {
			return true
		}
		seen[[2]*Shape{a, b}] = true
		if a.Kind != b.Kind || a.Bits != b.Bits || a.Signed != b.Signed || a.Len != b.Len || len(a.Fields) != len(b.Fields) ||
			a.Kind == Any && a.Name != b.Name || !slices.Equal(a.Values, b.Values) || !same(a.Key, b.Key) || !same(a.Elem, b.Elem) {
			return false
		}
		for i := range a.Fields {
			if a.Fields[i].Name != b.Fields[i].Name || a.Fields[i].Optional != b.Fields[i].Optional || !same(a.Fields[i].Shape, b.Fields[i].Shape) {
				return false
			}
		}
		return true
	}
	return same(a, b)
}
