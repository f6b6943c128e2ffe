package manifest

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/goparty-dev/party/internal/diag"
)

// reader checks one manifest: it collects what is wrong and where things stand.
type reader struct {
	file   string
	size   int   // of the file; no position is behind it
	starts []int // offsets of the lines
	list   diag.List
	places map[string]place
}

// place is where a value stands, and the key before it, if it has one.
type place struct{ key, value diag.Position }

func newReader(file string, data []byte) *reader {
	r := &reader{file: file, size: len(data), starts: []int{0}, places: make(map[string]place)}
	for i := range data {
		if data[i] == '\n' {
			r.starts = append(r.starts, i+1)
		}
	}
	return r
}

// joinPath makes a map key of a path. No byte of valid UTF-8 is 0xff.
func joinPath(path []string) string { return strings.Join(path, "\xff") }

// child returns the path of a value inside the one at path.
func child(at []string, name string) []string { return append(slices.Clip(at), name) }

func (r *reader) pos(offset int) diag.Position {
	offset = min(offset, r.size)
	line, exact := slices.BinarySearch(r.starts, offset)
	if !exact {
		line--
	}
	return diag.Position{File: r.file, Line: line + 1, Column: offset - r.starts[line] + 1}
}

func (r *reader) errorf(v *hujson.Value, code, format string, args ...any) *diag.Diagnostic {
	return r.list.Errorf(r.pos(v.StartOffset), code, format, args...)
}

// value checks the kind of a value and then the value.
func (r *reader) value(s shape, at []string, v *hujson.Value) (any, bool) {
	if !slices.Contains(s.kinds(), v.Value.Kind()) {
		r.errorf(v, "wrong-type", "%s must be %s, not %s", label(at), s.wants(), kindName(v.Value))
		return nil, false
	}
	return s.check(r, at, v)
}

// members are those of an object by name. Of those with one name the first
// counts and the others are reported.
func (r *reader) members(at []string, v *hujson.Value) iter.Seq2[string, *hujson.ObjectMember] {
	return func(yield func(string, *hujson.ObjectMember) bool) {
		members := v.Value.(*hujson.Object).Members
		seen := make(map[string]diag.Position)
		for i := range members {
			m := &members[i]
			name := m.Name.Value.(hujson.Literal).String()
			key := r.pos(m.Name.StartOffset)
			if first, ok := seen[name]; ok {
				d := r.errorf(&m.Name, "duplicate-key", "duplicate key %s", quote(name))
				d.Related = []diag.Related{{Pos: first, Message: "first given here"}}
				continue
			}
			seen[name] = key
			r.places[joinPath(child(at, name))] = place{key: key, value: r.pos(m.Value.StartOffset)}
			if !yield(name, m) {
				return
			}
		}
	}
}

// depth returns how deeply data is nested, and where it first is deeper than
// most. It looks only at brackets outside of strings and comments, so that it
// needs no stack.
func depth(data []byte, most int) (offset int, ok bool) {
	open := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '/':
			end := ""
			if bytes.HasPrefix(data[i:], []byte("//")) {
				end = "\n"
			} else if bytes.HasPrefix(data[i:], []byte("/*")) {
				end = "*/"
			} else {
				continue
			}
			n := bytes.Index(data[i+2:], []byte(end))
			if n < 0 {
				return 0, true
			}
			i += 2 + n + len(end) - 1
		case '{', '[':
			if open++; open > most {
				return i, false
			}
		case '}', ']':
			open--
		}
	}
	return 0, true
}
