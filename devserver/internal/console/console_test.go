package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestLinesArePlainWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	c := New(&out)
	c.Line(c.Good("ok") + " " + c.Bad("no") + " " + c.Warn("hm") + " " + c.Faint("x") + c.Bold("y") + c.Link("z"))
	c.Clear()
	if got, want := out.String(), "ok no hm xyz\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinesHaveColoursOnATerminal(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(&out, true)
	c.Line(c.Bad("no"))
	if got := out.String(); !strings.Contains(got, "\x1b[") || !strings.Contains(got, "no") {
		t.Errorf("got %q, want the word in colour", got)
	}
}

func TestRawModeEndsLinesWithBoth(t *testing.T) {
	var out bytes.Buffer
	c := New(&out)
	c.setRaw(true)
	c.Line("a\nb")
	c.setRaw(false)
	c.Line("c")
	if got, want := out.String(), "a\r\nb\r\nc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATerminalThatHasGoneIsNoProblem(t *testing.T) {
	c := New(broken{})
	if n, err := c.Write([]byte("x\n")); n != 2 || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	c.Line("y")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestSafe(t *testing.T) {
	if got, want := Safe("/a\x1b[2J\n\u009bé世"), "/a?[2J??é世"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
