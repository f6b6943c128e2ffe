package devserver

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/goparty-dev/party/devserver/internal/console"
	"github.com/goparty-dev/party/internal/platform"
)

// traffic prints a line for each request and each connection that comes and goes. It
// never holds them up: lines that a slow terminal cannot take are counted instead.
type traffic struct {
	console *console.Console
	lines   chan string
	lost    atomic.Int64
}

func newTraffic(c *console.Console) *traffic {
	return &traffic{console: c, lines: make(chan string, 1024)}
}

// run prints until stop is closed, and then what is left.
func (t *traffic) run(stop <-chan struct{}) {
	for {
		select {
		case line := <-t.lines:
			t.print(line)
		case <-stop:
			for {
				select {
				case line := <-t.lines:
					t.print(line)
				default:
					return
				}
			}
		}
	}
}

func (t *traffic) print(line string) {
	t.console.Line(line)
	if n := t.lost.Swap(0); n > 0 {
		t.console.Line(t.console.Faint(fmt.Sprintf("… %s of traffic left out", count(int(n), "line"))))
	}
}

func (t *traffic) add(line string) {
	select {
	case t.lines <- line:
	default:
		t.lost.Add(1)
	}
}

// request is an Observer's. Queries are not shown: tokens are sent in them.
func (t *traffic) request(r platform.RequestInfo) {
	if r.Status == http.StatusSwitchingProtocols {
		return // joined says it
	}
	path, _, _ := strings.Cut(r.Path, "?")
	status := fmt.Sprint(r.Status)
	switch {
	case r.Status >= 500:
		status = t.console.Bad(status)
	case r.Status >= 400:
		status = t.console.Warn(status)
	}
	t.add(fmt.Sprintf("%s %s %s %s", console.Safe(r.Method), console.Safe(path), status, t.console.Faint(span(r.Duration))))
}

func (t *traffic) joined(s platform.SessionInfo) {
	t.add(fmt.Sprintf("%s %s %s", console.Safe(s.Room.String()), t.console.Good("+"+console.Safe(s.Conn)), t.console.Faint(connected(s.Count))))
}

func (t *traffic) left(s platform.SessionInfo) {
	t.add(fmt.Sprintf("%s %s %s", console.Safe(s.Room.String()), t.console.Warn("-"+console.Safe(s.Conn)),
		t.console.Faint(fmt.Sprintf("%d%s, %s", s.Code, reasonText(s.Reason), connected(s.Count)))))
}

func reasonText(s string) string {
	if s == "" {
		return ""
	}
	return " " + console.Safe(s)
}

func connected(n int) string { return fmt.Sprintf("%d connected", n) }
