package hostproc

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/diag"
)

// Reason is why a host has ended.
type Reason struct {
	Summary string        // "exited with status 3": what the system says; the subject is left out
	Panic   string        // "panic: boom", the line that Go prints; "" if there is none
	Pos     diag.Position // first line of the user's own code in the stack, if known
	Func    string        // the function there: "main.(*Chat).tick"
	Log     []string      // the end of its standard error, at most 60 lines
	Uptime  time.Duration
	Natural bool // it ended by itself; for whoever may have killed it to say
}

// maxSaid is how many bytes of a log are in a reason's text.
const maxSaid = 2 << 10

// String says how the host has ended, without the subject, and what it said before: the end of that, or the beginning of
// a panic, at most 2 KiB.
func (r Reason) String() string {
	said := strings.TrimSpace(strings.Join(r.Log, "\n"))
	switch n := len(said) - maxSaid; {
	case n > 0 && r.Panic != "":
		said = said[:maxSaid]
	case n > 0:
		said = said[n:]
	}
	if said = strings.TrimSpace(strings.ToValidUTF8(said, "")); said == "" {
		return r.Summary
	}
	return r.Summary + ", and said:\n" + said
}

func isPanic(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// readPanic reads what Go prints before it ends a program: a line that says why, and stacks.
func readPanic(log []string, source string) (what string, pos diag.Position, fn string) {
	if len(log) == 0 {
		return "", pos, ""
	}
	for i := 1; i < len(log); i++ {
		file, line, ok := readFrame(log[i])
		if ok && below(file, source) && !strings.HasSuffix(file, "_gen.go") {
			return log[0], diag.Position{File: file, Line: line}, function(log[i-1])
		}
	}
	return log[0], pos, ""
}

// readFrame reads the second line of a stack frame: a tab, file:line, +0x1f.
func readFrame(text string) (file string, line int, ok bool) {
	text, ok = strings.CutPrefix(text, "\t")
	if !ok {
		return "", 0, false
	}
	text, _, _ = strings.Cut(text, " +0x")
	colon := strings.LastIndexByte(text, ':')
	if colon <= 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(text[colon+1:])
	if err != nil || line <= 0 {
		return "", 0, false
	}
	return text[:colon], line, true
}

// function takes the arguments away from the first line of a frame:
// "main.(*Chat).tick(0xc000012345)", "created by main.start in goroutine 1".
func function(text string) string {
	text = strings.TrimPrefix(text, "created by ")
	text, _, _ = strings.Cut(text, " in goroutine ")
	if open := strings.LastIndexByte(text, '('); open > 0 && !strings.HasPrefix(text[open:], "(*") {
		text = text[:open]
	}
	return text
}

func below(file, dir string) bool {
	return dir != "" && strings.HasPrefix(file, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
