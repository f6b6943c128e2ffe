package console

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"golang.org/x/term"
)

// Console writes lines. It is safe for concurrent use; lines are never mixed.
type Console struct {
	// set by New, then read-only
	color bool
	style styles

	mu   sync.Mutex
	out  io.Writer // guarded by mu
	raw  bool      // guarded by mu; line feeds need a carriage return
	gone error     // guarded by mu; the first error of out
}

// New writes to out, with colours if it is a terminal and NO_COLOR is not set.
func New(out io.Writer) *Console {
	return newConsole(out, IsTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

func newConsole(out io.Writer, color bool) *Console {
	return &Console{color: color, style: newStyles(color), out: out}
}

// IsTerminal reports whether v is a file that is a terminal.
func IsTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Color reports whether lines may have colours.
func (c *Console) Color() bool { return c.color }

// Line writes one line, or several that stay together.
func (c *Console) Line(text string) { _, _ = c.Write([]byte(text + "\n")) }

// Write writes whole lines as they are. What the terminal refuses is lost: there is
// nobody left to tell.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone != nil {
		return len(p), nil
	}
	text := p
	if c.raw {
		text = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	_, c.gone = c.out.Write(text)
	return len(p), nil
}

// Clear empties the screen, if there is one.
func (c *Console) Clear() {
	if c.color {
		_, _ = c.Write([]byte("\x1b[2J\x1b[3J\x1b[H"))
	}
}

func (c *Console) setRaw(raw bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = raw
}

// styles are the few looks that text has.
type styles struct{ good, bad, warn, faint, bold, link lipgloss.Style }

func newStyles(color bool) styles {
	// A renderer of its own: what is a terminal is decided here, not by lipgloss.
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.Ascii)
	if color {
		r.SetColorProfile(termenv.ANSI)
	}
	plain := r.NewStyle()
	return styles{
		good:  plain.Foreground(lipgloss.Color("2")),
		bad:   plain.Foreground(lipgloss.Color("1")).Bold(true),
		warn:  plain.Foreground(lipgloss.Color("3")),
		faint: plain.Faint(true),
		bold:  plain.Bold(true),
		link:  plain.Foreground(lipgloss.Color("6")),
	}
}

// Good, Bad, Warn, Faint, Bold and Link give a piece of a line a look, where there are colours.
func (c *Console) Good(s string) string { return c.look(c.style.good, s) }

// Bad is for what went wrong.
func (c *Console) Bad(s string) string { return c.look(c.style.bad, s) }

// Warn is for what deserves a look.
func (c *Console) Warn(s string) string { return c.look(c.style.warn, s) }

// Faint is for what is seldom read.
func (c *Console) Faint(s string) string { return c.look(c.style.faint, s) }

// Bold is for names.
func (c *Console) Bold(s string) string { return c.look(c.style.bold, s) }

// Link is for addresses.
func (c *Console) Link(s string) string { return c.look(c.style.link, s) }

func (c *Console) look(style lipgloss.Style, s string) string {
	if !c.color || s == "" {
		return s
	}
	return style.Render(s)
}

// Safe makes text from outside, such as a URL, harmless: control characters,
// which a terminal would obey, become "?".
func Safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
