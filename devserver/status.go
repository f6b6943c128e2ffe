package devserver

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hostproc"
)

// Status is what /_party/status and /_party/events tell browsers and tools.
type Status struct {
	// Phase is "building" (a build or a start is running), "ready", "failed" (there is no
	// newer code than what is serving, if anything is) or "crashed".
	Phase   string `json:"phase"`
	Serving bool   `json:"serving"` // some code has the rooms
	Served  bool   `json:"served"`  // there has been such code
	Build   int    `json:"build"`   // number of the last build
	// Assets changes when pages should be loaded again.
	Assets   string        `json:"assets"`
	Problems []Problem     `json:"problems"`
	Reload   *ReloadMillis `json:"reload,omitempty"` // the last one
}

// Problem is one reason why the newest code is not running.
type Problem struct {
	Title   string `json:"title"`            // "Build failed"
	Place   string `json:"place,omitempty"`  // file:line:column, relative to the project
	Message string `json:"message"`          // one line
	Detail  string `json:"detail,omitempty"` // source line with caret, hint; or a log
}

// ReloadMillis is a Reload in milliseconds.
type ReloadMillis struct {
	Build    int     `json:"build"`
	Total    float64 `json:"total"`
	Generate float64 `json:"generate"`
	Go       float64 `json:"go"`
	Compile  float64 `json:"compile"`
	Link     float64 `json:"link"`
	Start    float64 `json:"start"`
	HandOver float64 `json:"handOver"`
	Pause    float64 `json:"pause"`
	Direct   bool    `json:"direct"`
	Rooms    int     `json:"rooms"`
	Sockets  int     `json:"sockets"`
	Restart  bool    `json:"restart"`
}

func millis(r *Reload) *ReloadMillis {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return &ReloadMillis{
		Build: r.Build, Total: ms(r.Total), Generate: ms(r.Generate), Go: ms(r.Go), Compile: ms(r.Compile), Link: ms(r.Link),
		Start: ms(r.Start), HandOver: ms(r.HandOver), Pause: ms(r.Pause),
		Direct: r.Direct, Rooms: r.Rooms, Sockets: r.Sockets, Restart: r.Restart,
	}
}

// problems remembers what the problems of a state look like, as the source lines in
// them are to be those of then.
type problems struct {
	failure  *failure
	bundling *failure
	crash    *crash
	list     []Problem
}

// of returns the problems; dir is what places are shown relative to.
func (p *problems) of(s *state, dir string) []Problem {
	if p.list != nil && p.failure == s.failure && p.crash == s.crash && p.bundling == s.bundling {
		return p.list
	}
	p.failure, p.bundling, p.crash, p.list = s.failure, s.bundling, s.crash, []Problem{}
	if s.failure != nil {
		p.list = append(p.list, failureProblems("Build failed", s.failure, dir)...)
	}
	if s.bundling != nil {
		p.list = append(p.list, failureProblems("Bundling the browser code failed", s.bundling, dir)...)
	}
	if s.crash != nil {
		p.list = append(p.list, reasonProblem("Your program "+verb(&s.crash.Reason), &s.crash.Reason, dir))
	}
	return p.list
}

// verb tells a crash from an end that the program itself has chosen.
func verb(r *hostproc.Reason) string {
	if r.Panic == "" && strings.HasPrefix(r.Summary, "exited") {
		return "ended"
	}
	return "crashed"
}

// statusOf is what a state looks like from outside.
func statusOf(s *state, list []Problem) Status {
	st := Status{Serving: s.serving(), Served: s.served, Build: s.build, Problems: list}
	switch {
	case s.building || s.starting.id != 0:
		st.Phase = "building"
	case s.failure != nil:
		st.Phase = "failed"
	case s.crash != nil && !st.Serving:
		st.Phase = "crashed"
	case st.Serving:
		st.Phase = "ready"
	default:
		st.Phase = "building" // the first one has not begun yet
	}
	return st
}

func failureProblems(title string, f *failure, dir string) []Problem {
	if f.Start != nil {
		return []Problem{reasonProblem("The new code ended before it could take over", f.Start, dir)}
	}
	var all []Problem
	render := diag.Renderer{Source: diag.Files(), Dir: dir}
	for _, d := range f.Diagnostics {
		if d.Severity != diag.Error {
			continue
		}
		all = append(all, problem(title, d, render))
	}
	if f.Output != "" || len(all) == 0 {
		line, rest, _ := strings.Cut(f.Output, "\n")
		all = append(all, Problem{Title: title, Message: line, Detail: rest})
	}
	return all
}

// problem takes a rendered diagnostic apart: what stands before the message is its place.
func problem(title string, d diag.Diagnostic, render diag.Renderer) Problem {
	head, detail, _ := strings.Cut(render.String(diag.List{d}), "\n")
	place, _, found := strings.Cut(head, ": "+d.Severity.String()+": ")
	if !found {
		place = ""
	}
	return Problem{Title: title, Place: place, Message: d.Message, Detail: strings.TrimRight(detail, "\n")}
}

// reasonProblem tells how a process has ended, with the line of the user's code if it is known.
func reasonProblem(title string, r *hostproc.Reason, dir string) Problem {
	if r.Panic != "" && r.Pos.Line > 0 {
		d := diag.Diagnostic{Pos: r.Pos, Message: r.Panic, Hint: "in " + r.Func}
		return problem(title, d, diag.Renderer{Source: diag.Files(), Dir: dir})
	}
	p := Problem{Title: title, Message: "it " + r.Summary, Detail: strings.Join(lastOf(r.Log, 12), "\n")}
	if r.Panic != "" {
		p.Message = r.Panic
		p.Detail = strings.Join(r.Log[:min(len(r.Log), 12)], "\n")
	}
	return p
}

func lastOf(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

// text is the status as plain text, for clients that do not want a page.
func (s Status) text() string {
	var b strings.Builder
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "%s\n", p.Title)
		if p.Place != "" {
			fmt.Fprintf(&b, "%s: ", p.Place)
		}
		fmt.Fprintf(&b, "%s\n", p.Message)
		if p.Detail != "" {
			fmt.Fprintf(&b, "%s\n", p.Detail)
		}
	}
	return b.String()
}

func (s Status) json() []byte {
	data, err := json.Marshal(s)
	if err != nil {
		panic("devserver: a status that is not JSON: " + err.Error())
	}
	return data
}
