package devserver

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hostproc"
)

func TestPhases(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"nothing yet", nil, "building"},
		{"first build", beginning, "building"},
		{"first build failed", append(beginning[:1:1], step{ev: broke{1, typo}}), "failed"},
		{"serving", serving, "ready"},
		{"building", append(serving[:4:4], step{ev: source()}), "building"},
		{"broken", append(serving[:4:4], step{ev: source()}, step{ev: broke{2, typo}}), "failed"},
		{"crashed", append(serving[:4:4], step{ev: exited{1, boom}}), "crashed"},
		{"starting again", append(serving[:4:4], step{ev: exited{1, boom}}, step{ev: due{1}}), "building"},
		{"running again", append(serving[:4:4], step{ev: exited{1, boom}}, step{ev: due{1}}, step{ev: ready{2}}), "ready"},
	} {
		s := after(t, tt.steps)
		if got := statusOf(&s, nil).Phase; got != tt.want {
			t.Errorf("%s: phase %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "server.go")
	write(t, file, "package main\n\nfunc f() { x }\n")
	s := state{
		failure: &failure{
			Diagnostics: diag.List{
				{Pos: diag.Position{File: file, Line: 3, Column: 12}, Code: "compile", Message: "undefined: x", Hint: "declare it"},
				{Severity: diag.Warning, Message: "left out"},
				{Message: "no place", Code: "go"},
			},
			Output: "# link\nfailed\n",
		},
		crash: &crash{Reason: hostproc.Reason{
			Summary: "exited with status 2", Panic: "panic: boom", Func: "main.f", Pos: diag.Position{File: file, Line: 3},
		}},
	}
	var cache problems
	got := cache.of(&s, dir)
	want := []Problem{
		{Title: "Build failed", Place: "server.go:3:12", Message: "undefined: x", Detail: "    func f() { x }\n               ^\n  hint: declare it"},
		{Title: "Build failed", Message: "no place"},
		{Title: "Build failed", Message: "# link", Detail: "failed\n"},
		{Title: "Your program crashed", Place: "server.go:3", Message: "panic: boom", Detail: "    func f() { x }\n  hint: in main.f"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("problems (-got +want):\n%s", diff)
	}
	// The lines shown are those of then.
	write(t, file, "package main\n\n// other\n")
	if diff := cmp.Diff(cache.of(&s, dir), want); diff != "" {
		t.Errorf("problems after a change (-got +want):\n%s", diff)
	}
	s.failure, s.crash = nil, &crash{Reason: hostproc.Reason{Summary: "exited with status 3", Log: []string{"a", "b"}}}
	if diff := cmp.Diff(cache.of(&s, dir), []Problem{{Title: "Your program ended", Message: "it exited with status 3", Detail: "a\nb"}}); diff != "" {
		t.Errorf("problems of an end (-got +want):\n%s", diff)
	}
}
