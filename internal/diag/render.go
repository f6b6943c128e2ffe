package diag

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Renderer writes diagnostics for people to read:
//
//	party.json:3:3: error: unknown key "prot" [unknown-key]
//	      "prot": 1999,
//	      ^
//	  hint: did you mean "port"?
//
// The zero Renderer is usable: no source lines, no colour, paths as they are.
// It is safe for concurrent use if Source is.
type Renderer struct {
	// Source returns a line of a file, counted from 1, without its line end;
	// false if there is none. The file is named as in the position. Nil shows no
	// source lines. See [Files].
	Source func(file string, line int) (string, bool)
	// Dir is the absolute path of the working directory: files at or below it are
	// shown relative to it. Empty shows paths as they are.
	Dir string
	// Color uses ANSI escape sequences.
	Color bool
}

// Files returns a source of lines that reads each file once, when it is first
// asked for. It is not safe for concurrent use, and sees no later change: make a new
// one for each rendering.
func Files() func(file string, line int) (string, bool) {
	read := make(map[string][]string)
	return func(file string, line int) (string, bool) {
		lines, ok := read[file]
		if !ok {
			// A file that cannot be read has no lines to show.
			if data, err := os.ReadFile(file); err == nil {
				lines = strings.Split(string(data), "\n")
			}
			read[file] = lines
		}
		if line < 1 || line > len(lines) {
			return "", false
		}
		return strings.TrimSuffix(lines[line-1], "\r"), true
	}
}

// Render writes the list as it is ordered, an empty line between diagnostics.
// Errors are those of w.
func (r Renderer) Render(w io.Writer, list List) error {
	_, err := io.WriteString(w, r.String(list))
	return err
}

// String returns what Render writes.
func (r Renderer) String(list List) string {
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.one(&b, d)
	}
	return b.String()
}

func (r Renderer) one(b *strings.Builder, d Diagnostic) {
	if pos := r.position(d.Pos); pos != "" {
		b.WriteString(r.paint(bold, pos+":") + " ")
	}
	severity := red
	if d.Severity == Warning {
		severity = yellow
	}
	b.WriteString(r.paint(severity, d.Severity.String()+":") + " " + r.paint(bold, oneLine(d.Message)))
	if d.Code != "" {
		b.WriteString(" " + r.paint(dim, "["+oneLine(d.Code)+"]"))
	}
	b.WriteByte('\n')

	if line, ok := r.line(d); ok {
		shown, caret := excerpt(line, d.Pos.Column)
		b.WriteString("    " + shown + "\n")
		if d.Pos.Column > 0 {
			b.WriteString("    " + strings.Repeat(" ", caret) + r.paint(green, "^") + "\n")
		}
	}
	if d.Hint != "" {
		label := "  hint: "
		for line := range strings.SplitSeq(strings.TrimRight(d.Hint, "\n"), "\n") {
			// A hint may hold code: its indentation stays.
			line = printable(strings.ReplaceAll(line, "\t", strings.Repeat(" ", tabWidth)))
			b.WriteString(r.paint(cyan, label) + line + "\n")
			label = "        "
		}
	}
	for _, rel := range d.Related {
		b.WriteString("  ")
		if pos := r.position(rel.Pos); pos != "" {
			b.WriteString(r.paint(bold, pos+":") + " ")
		}
		b.WriteString(r.paint(cyan, "note:") + " " + oneLine(rel.Message) + "\n")
	}
}

// line returns the source line of a diagnostic if there is one to show.
func (r Renderer) line(d Diagnostic) (string, bool) {
	if r.Source == nil || d.Sensitive || d.Pos.File == "" || d.Pos.Line <= 0 {
		return "", false
	}
	line, ok := r.Source(d.Pos.File, d.Pos.Line)
	return line, ok && strings.TrimSpace(line) != ""
}

// position is Position.String with the file as it is shown.
func (r Renderer) position(p Position) string {
	if r.Dir != "" && filepath.IsAbs(p.File) {
		if rel, err := filepath.Rel(r.Dir, p.File); err == nil && filepath.IsLocal(rel) {
			p.File = rel
		}
	}
	return oneLine(p.String())
}

// oneLine makes text safe to write into a line of its own.
func oneLine(s string) string { return printable(strings.TrimSpace(s)) }

// style is the parameter of an ANSI escape sequence.
type style string

const (
	bold   style = "1"
	dim    style = "2"
	red    style = "1;31"
	green  style = "1;32"
	yellow style = "1;33"
	cyan   style = "36"
)

func (r Renderer) paint(s style, text string) string {
	if !r.Color {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
