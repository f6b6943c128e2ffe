package diag

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ParseGo reads what go build, go vet or the compiler itself printed. Relative
// paths are taken as relative to dir, the directory it ran in.
//
// Lines that name a place in a file become errors with the code "compile" or
// "vet", and lines of the go command itself ("go: …") errors without a place and
// with the code "go". An indented line that names a place is a related
// position of what stands above it; any other is more of its message, or its hint
// where the message announces one. Everything else, such as what the linker
// says, is returned as rest, under its "# package" header. The list is sorted and
// without repetitions.
func ParseGo(output, dir string) (list List, rest string) {
	p := goOutput{dir: dir, code: "compile"}
	for line := range strings.SplitSeq(output, "\n") {
		p.line(strings.TrimRight(line, " \t\r"))
	}
	return p.list.Sorted(), strings.Trim(strings.Join(p.rest, "\n"), "\n")
}

type goOutput struct {
	dir    string
	code   string   // of what follows the latest header
	header []string // headers not yet in rest
	list   List
	rest   []string
	open   bool // the last entry of list takes indented lines
}

func (p *goOutput) line(line string) {
	switch {
	case line == "":
		p.open = false
		return
	case strings.HasPrefix(line, "# "):
		p.open = false
		if strings.HasPrefix(line, "# [") {
			p.code = "vet" // the second of the two headers that vet's own findings have
		} else {
			p.code, p.header = "compile", p.header[:0]
		}
		p.header = append(p.header, line)
		return
	case p.open && (line[0] == ' ' || line[0] == '\t'):
		p.continued(strings.TrimSpace(line))
		return
	}
	p.open = false

	code, text := p.code, line
	if t, ok := strings.CutPrefix(text, "vet: "); ok {
		code, text = "vet", t
	}
	command := false
	if t, ok := strings.CutPrefix(text, "go: "); ok {
		code, text, command = "go", strings.TrimSpace(t), true
	}
	if pos, message, ok := p.place(text); ok {
		// That there are more errors is no error of its own.
		if message != "too many errors" {
			p.list.Errorf(pos, code, "%s", message)
			p.open = true
		}
		return
	}
	if command && text != "" {
		p.list.Errorf(Position{}, code, "%s", text)
		p.open = true
		return
	}
	if text == "too many errors" && len(p.list) > 0 {
		return
	}
	p.rest = append(append(p.rest, p.header...), line)
	p.header = nil
}

// continued takes an indented line.
func (p *goOutput) continued(text string) {
	d := &p.list[len(p.list)-1]
	if pos, message, ok := p.place(text); ok {
		d.Related = append(d.Related, Related{pos, message})
		return
	}
	// "…; to add it:" is followed by the command to run.
	if d.Hint != "" {
		d.Hint += "\n" + text
		return
	}
	if m, ok := strings.CutSuffix(d.Message, ":"); ok && m != "" {
		d.Message, d.Hint = m, text
		return
	}
	d.Message += "; " + text
}

// sources are the extensions of the files that the go command reports about.
var sources = []string{".go", ".mod", ".work", ".s", ".S", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".m"}

// place reads "file:line:column: message" or "file:line: message".
func (p *goOutput) place(text string) (pos Position, message string, ok bool) {
	text = strings.TrimSpace(text)
	// A colon in a path ("C:\x.go") is not followed by a digit after an extension.
	for i := 0; i < len(text); i++ {
		if text[i] != ':' || !slices.Contains(sources, filepath.Ext(text[:i])) {
			continue
		}
		line, after, ok := number(text[i+1:])
		if !ok {
			continue
		}
		column, rest, ok := number(after)
		if !ok {
			column, rest = 0, after
		}
		message, ok := strings.CutPrefix(rest, " ")
		message = strings.TrimSpace(message)
		if !ok || message == "" {
			continue
		}
		return Position{File: p.file(text[:i]), Line: line, Column: column}, message, true
	}
	return Position{}, "", false
}

func (p *goOutput) file(name string) string {
	if p.dir == "" || filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(p.dir, name)
}

// number reads a positive number and the colon behind it.
func number(s string) (n int, rest string, ok bool) {
	digits, rest, ok := strings.Cut(s, ":")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, "", false
	}
	n, err := strconv.Atoi(digits)
	return n, rest, err == nil && n > 0
}
