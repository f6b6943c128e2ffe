package manifest

import (
	"strings"

	"github.com/tailscale/hujson"
)

// editor changes a manifest as text. Offsets are those of the original.
type editor struct {
	source string // the original
	text   string // with the changes
	unit   string // one level of indentation
	eol    string // a line end
}

func newEditor(data []byte, top *hujson.Object) *editor {
	e := &editor{source: string(data), text: string(data), unit: "  ", eol: "\n"}
	if strings.Contains(e.source, "\r\n") {
		e.eol = "\r\n"
	}
	if len(top.Members) > 0 {
		if first := top.Members[0].Name.StartOffset; e.ownLine(first) && e.indent(first) != "" {
			e.unit = e.indent(first)
		}
	}
	return e
}

// add puts an item at the end of a list or an object.
func (e *editor) add(v *hujson.Value, item string) {
	last, lastStart, comma := lastItem(v.Value)
	end := v.EndOffset - 1 // of the closing bracket
	switch {
	case last == nil && !e.ownLine(end):
		outer := e.indent(v.StartOffset)
		e.insert(end, e.eol+outer+e.unit+item+e.eol+outer)
	case last == nil:
		e.insert(e.lineStart(end), e.indent(end)+e.unit+item+e.eol)
	case !e.ownLine(end):
		e.insert(last.EndOffset, ", "+item)
	default:
		// A line of its own, below comments that stand behind the last item.
		indent := e.indent(end) + e.unit
		if e.ownLine(lastStart) {
			indent = e.indent(lastStart)
		}
		if comma {
			item += ","
		}
		e.insert(e.lineStart(end), indent+item+e.eol)
		if !comma {
			e.insert(last.EndOffset, ",")
		}
	}
}

// insert must be called from the end of the file to its start, so that the
// offsets of the original stay true for what comes next.
func (e *editor) insert(offset int, s string) {
	e.text = e.text[:offset] + s + e.text[offset:]
}

func (e *editor) lineStart(offset int) int {
	return strings.LastIndexByte(e.source[:offset], '\n') + 1
}

// indent returns the white space that the line of an offset begins with.
func (e *editor) indent(offset int) string {
	line := e.source[e.lineStart(offset):]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// ownLine reports whether nothing stands before an offset on its line, and the
// line is not the first.
func (e *editor) ownLine(offset int) bool {
	start := e.lineStart(offset)
	return start > 0 && start+len(e.indent(offset)) == offset
}

// lastItem returns the last value of a list or an object, nil if there is none, with the
// offset of its item and whether a comma follows it.
func lastItem(v hujson.ValueTrimmed) (last *hujson.Value, start int, comma bool) {
	switch v := v.(type) {
	case *hujson.Array:
		if n := len(v.Elements); n > 0 {
			last = &v.Elements[n-1]
			start = last.StartOffset
		}
	case *hujson.Object:
		if n := len(v.Members); n > 0 {
			last = &v.Members[n-1].Value
			start = v.Members[n-1].Name.StartOffset
		}
	}
	return last, start, last != nil && last.AfterExtra != nil
}
