package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/diag"
)

// ParseEnv reads the contents of a .env file:
//
//	# a comment
//	NAME=value # a comment after white space
//	export NAME = value
//	NAME='no escapes, one line'
//	NAME="\n \r \t \" \\ \$ are escapes,
//	and lines may end inside"
//
// Nothing is interpolated. Of two lines with one name the later counts, with a
// warning. What is wrong is reported with its place and skipped; no
// diagnostic has any text of the file in it, and its source line is not to be shown either,
// since a file that is not understood may hold a secret anywhere.
func ParseEnv(path string, data []byte) (map[string]string, diag.List) {
	p := envParser{
		reader: newReader(path, data),
		data:   data,
		vars:   make(map[string]string),
		first:  make(map[string]diag.Position),
	}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		p.at = len("\ufeff")
	}
	for p.at < len(p.data) {
		p.line()
	}
	return p.vars, p.list.Sorted()
}

type envParser struct {
	*reader
	data  []byte
	at    int // offset of what comes next
	vars  map[string]string
	first map[string]diag.Position // where each name was given
}

// line takes one assignment, or an empty line or comment, with its line end.
func (p *envParser) line() {
	defer p.skipLine()
	p.blanks()
	if p.peek() == '#' || p.atLineEnd() {
		return
	}
	start := p.at
	name := p.name()
	if name == "export" && p.blanks() > 0 && p.peek() != '=' {
		start = p.at
		name = p.name()
	}
	p.blanks()
	if name == "" || p.peek() != '=' {
		p.wrong(start, "syntax", "this is not NAME=value", "a name is letters, digits, dots, hyphens and underscores; a comment starts with #")
		return
	}
	p.at++
	p.blanks()
	value, ok := p.value()
	if !ok {
		return
	}
	pos := p.pos(start)
	if before, ok := p.first[name]; ok {
		d := p.list.Warnf(pos, "duplicate-name", "this name was given before, and the later value counts")
		d.Related, d.Sensitive = []diag.Related{{Pos: before, Message: "first given here"}}, true
	}
	p.first[name] = pos
	p.vars[name] = value
}

func (p *envParser) name() string {
	start := p.at
	for p.at < len(p.data) {
		c := p.data[p.at]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (p.at == start || c != '.' && c != '-' && (c < '0' || c > '9')) {
			break
		}
		p.at++
	}
	return string(p.data[start:p.at])
}

// value takes a value and leaves what follows it on its line.
func (p *envParser) value() (value string, ok bool) {
	start := p.at
	switch quote := p.peek(); quote {
	case '"', '\'':
		p.at++
		value, ok = p.quoted(quote)
		if !ok {
			p.wrong(start, "syntax", "this quote is not closed", "")
			return "", false
		}
		p.blanks()
		if !p.atLineEnd() && p.peek() != '#' {
			p.wrong(p.at, "syntax", "nothing but a comment may follow a quoted value", `inside of double quotes, write \" for a quote`)
			return "", false
		}
	default:
		value = p.unquoted()
	}
	if !utf8.ValidString(value) || strings.Contains(value, "\x00") {
		p.wrong(start, "syntax", "this value is not text", "save the file as UTF-8; encode binary values, for example as base64")
		return "", false
	}
	return value, true
}

// unquoted takes what stands before the line's end or its comment.
func (p *envParser) unquoted() string {
	start := p.at
	for !p.atLineEnd() {
		if p.peek() == '#' && (p.at == start || blank(p.data[p.at-1])) {
			break
		}
		p.at++
	}
	return strings.TrimRight(string(p.data[start:p.at]), " \t")
}

// quoted takes the rest of a quoted value with its closing quote. On failure
// it takes the rest of the line only, so that the lines below are still read.
func (p *envParser) quoted(quote byte) (value string, ok bool) {
	var b strings.Builder
	for i := p.at; i < len(p.data); i++ {
		c := p.data[i]
		switch {
		case c == quote:
			p.at = i + 1
			return b.String(), true
		case c == '\n' && quote == '\'':
			return "", false
		case c == '\r' && quote == '"' && i+1 < len(p.data) && p.data[i+1] == '\n':
			// A file from Windows has the same values.
		case c == '\\' && quote == '"' && i+1 < len(p.data):
			i++
			switch e := p.data[i]; e {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$':
				b.WriteByte(e)
			default:
				b.WriteByte('\\')
				i-- // no escape: both characters stay, and a line end is one
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func (p *envParser) wrong(offset int, code, message, hint string) {
	d := p.list.Errorf(p.pos(offset), code, "%s", message)
	d.Hint, d.Sensitive = hint, true
}

// peek returns the next byte, 0 at the end.
func (p *envParser) peek() byte {
	if p.at >= len(p.data) {
		return 0
	}
	return p.data[p.at]
}

func (p *envParser) atLineEnd() bool {
	rest := p.data[p.at:]
	return len(rest) == 0 || rest[0] == '\n' || bytes.HasPrefix(rest, []byte("\r\n")) || string(rest) == "\r"
}

func (p *envParser) skipLine() {
	n := bytes.IndexByte(p.data[p.at:], '\n')
	if n < 0 {
		p.at = len(p.data)
		return
	}
	p.at += n + 1
}

func (p *envParser) blanks() (n int) {
	for p.at < len(p.data) && blank(p.data[p.at]) {
		p.at++
		n++
	}
	return n
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
