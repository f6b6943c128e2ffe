package hostproc

import (
	"bytes"
	"io"
)

// maxLine is where an endless line is cut.
const maxLine = 64 << 10

// lines is a writer that hands on whole lines.
type lines struct {
	each func(line string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.rest = append(l.rest, p...)
			for len(l.rest) >= maxLine {
				l.emit(l.rest[:maxLine])
				l.rest = append(l.rest[:0], l.rest[maxLine:]...)
			}
			break
		}
		l.rest = append(l.rest, p[:i]...)
		l.emit(l.rest)
		l.rest = l.rest[:0]
		p = p[i+1:]
	}
	return n, nil
}

// flush hands on a last line that has no end.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.emit(l.rest)
		l.rest = nil
	}
}

func (l *lines) emit(line []byte) {
	if l.each != nil {
		l.each(string(bytes.TrimSuffix(line, []byte("\r"))))
	}
}

// tee passes output on as it is, and to lines.
type tee struct {
	to    io.Writer
	lines *lines
}

func (t *tee) Write(p []byte) (int, error) {
	_, _ = t.to.Write(p) // a log that nobody takes must not end the host
	return t.lines.Write(p)
}

// maxTail is how many lines of a log are kept.
const maxTail = 60

// tail keeps the end of a log, and the beginning of the last panic in it: a
// stack can be long, and what matters stands first.
type tail struct{ last, panic []string }

func (t *tail) add(line string) {
	if len(t.last) == maxTail {
		t.last = t.last[1:]
	}
	t.last = append(t.last, line)
	switch {
	case isPanic(line):
		t.panic = []string{line}
	case len(t.panic) > 0 && len(t.panic) < maxTail:
		t.panic = append(t.panic, line)
	}
}
