package devserver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hostproc"
)

var (
	typo = failure{Diagnostics: diag.List{{Message: "undefined: x"}}}
	boom = hostproc.Reason{Summary: "exited with status 2", Panic: "panic: boom"}
)

func did(actions ...action) []action { return actions }

func source() event { return changed{Source: true} }

func failedWith(f failure, serving bool) action { return show{buildFailed{f, serving}} }

func crashedFor(delay time.Duration) action {
	return show{crashed{Crash: crash{Reason: boom, Delay: delay}}}
}

// step is an event and what is to be done about it.
type step struct {
	ev   event
	want []action
}

// Beginnings that many cases have in common.
var (
	beginning = []step{{rebuild{}, did(beginBuild{1})}}
	// serving: host 1 of build 1 has the rooms.
	serving = append(beginning[:1:1],
		step{built{1}, did(startHost{1, 1, firstStart})},
		step{ready{1}, did(adopt{1}, watchHealth{1})},
		step{moved{1}, did(show{running{1, firstStart}})},
	)
)

func TestNext(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before []step
		steps  []step
	}{
		{"first build, reload", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{moved{2}, did(retireHost{1}, show{running{2, reload}})},
			{exited{Host: 1}, nil},
		}},
		{"assets reload pages and build nothing", serving, []step{
			{changed{Assets: true}, did(reloadPages{})},
			{changed{Assets: true, Source: true}, did(reloadPages{}, beginBuild{2})},
		}},
		{"a change during a build starts it anew", serving, []step{
			{source(), did(beginBuild{2})},
			{source(), did(beginBuild{3})},
			{built{2}, nil},
			{broke{2, typo}, nil},
			{built{3}, did(startHost{2, 3, reload})},
		}},
		{"a change while the new host starts", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{source(), did(beginBuild{3})},
			{built{3}, did(killHost{2}, startHost{3, 3, reload})},
			{ready{2}, nil},
			{exited{Host: 2, Reason: boom}, nil},
			{ready{3}, did(adopt{3}, watchHealth{3})},
			{moved{3}, did(retireHost{1}, show{running{3, reload}})},
		}},
		{"a change while rooms move", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{source(), did(beginBuild{3})},
			{built{3}, did(startHost{3, 3, reload})},
			{ready{3}, did(adopt{3}, watchHealth{3})},
			{moved{2}, nil},
			{moved{3}, did(retireHost{1}, retireHost{2}, show{running{3, reload}})},
		}},
		{"the first build fails, then is fixed", beginning, []step{
			{broke{1, typo}, did(failedWith(typo, false))},
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{1, 2, firstStart})},
			{ready{1}, did(adopt{1}, watchHealth{1})},
			{moved{1}, did(show{running{1, firstStart}})},
		}},
		{"a build fails while the old code serves", serving, []step{
			{source(), did(beginBuild{2})},
			{broke{2, typo}, did(failedWith(typo, true))},
			{source(), did(beginBuild{3})},
			{built{3}, did(startHost{2, 3, reload})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
		}},
		{"new code ends before it answers", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{exited{2, boom}, did(failedWith(failure{Start: &boom}, true))},
			// The old code crashes after that: it is what is started again.
			{lost{1}, did(detach{})},
			{exited{1, boom}, did(crashedFor(0), startTimer{1, 0})},
			{due{1}, did(startHost{3, 1, restart})},
		}},
		{"crash loop, then a fix", serving, []step{
			{lost{1}, did(detach{})},
			{exited{1, boom}, did(crashedFor(0), startTimer{1, 0})},
			{due{1}, did(startHost{2, 1, restart})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{moved{2}, did(show{running{2, restart}})},
			{lost{2}, did(detach{})},
			{exited{2, boom}, did(crashedFor(250*time.Millisecond), startTimer{2, 250 * time.Millisecond})},
			{due{1}, nil},
			{due{2}, did(startHost{3, 1, restart})},
			{exited{3, boom}, did(crashedFor(500*time.Millisecond), startTimer{3, 500 * time.Millisecond})},
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{4, 2, reload})},
			{due{3}, nil},
			{ready{4}, did(adopt{4}, watchHealth{4})},
			{moved{4}, did(show{running{4, reload}})},
			// The count has begun anew.
			{lost{4}, did(detach{})},
			{exited{4, boom}, did(crashedFor(0), startTimer{4, 0})},
		}},
		{"a healthy while resets the delay", serving, []step{
			{lost{1}, did(detach{})},
			{exited{1, boom}, did(crashedFor(0), startTimer{1, 0})},
			{due{1}, did(startHost{2, 1, restart})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{healthy{1}, nil},
			{healthy{2}, nil},
			{lost{2}, did(detach{})},
			{exited{2, boom}, did(crashedFor(0), startTimer{2, 0})},
		}},
		{"a crash during a build restarts the old code", serving, []step{
			{source(), did(beginBuild{2})},
			{exited{1, boom}, did(detach{}, crashedFor(0), startTimer{1, 0})},
			{due{1}, did(startHost{2, 1, restart})},
			{built{2}, did(killHost{2}, startHost{3, 2, reload})},
			{exited{Host: 2}, nil},
			{ready{3}, did(adopt{3}, watchHealth{3})},
		}},
		{"a crash while the new code starts", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{lost{1}, did(detach{})},
			{exited{1, boom}, did(show{crashed{crash{Reason: boom}, true}})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{moved{2}, did(show{running{2, reload}})},
		}},
		{"a crash during the hand-over", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{lost{2}, did(detach{})},
			{exited{2, boom}, did(crashedFor(0), startTimer{1, 0})},
			{moved{2}, nil},
			{due{1}, did(startHost{3, 2, restart})},
			{ready{3}, did(adopt{3}, watchHealth{3})},
			{moved{3}, did(retireHost{1}, show{running{3, restart}})},
		}},
		{"an old host ends before its rooms have moved", serving, []step{
			{source(), did(beginBuild{2})},
			{built{2}, did(startHost{2, 2, reload})},
			{ready{2}, did(adopt{2}, watchHealth{2})},
			{lost{1}, nil},
			{exited{1, boom}, nil},
			{moved{2}, did(show{running{2, reload}})},
		}},
		{"a crash at the very first start", beginning, []step{
			{built{1}, did(startHost{1, 1, firstStart})},
			{exited{1, boom}, did(crashedFor(0), startTimer{1, 0})},
			{due{1}, did(startHost{2, 1, firstStart})},
			{exited{2, boom}, did(crashedFor(250*time.Millisecond), startTimer{2, 250 * time.Millisecond})},
		}},
		{"stop ends everything", serving, []step{
			{source(), did(beginBuild{2})},
			{stop{}, did(shutDown{})},
			{built{2}, nil},
			{exited{1, boom}, nil},
			{stop{}, nil},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s state
			for i, st := range append(tt.before[:len(tt.before):len(tt.before)], tt.steps...) {
				var got []action
				s, got = next(s, st.ev)
				if diff := cmp.Diff(got, st.want); diff != "" {
					t.Fatalf("step %d, %#v: actions (-got +want):\n%s", i, st.ev, diff)
				}
			}
		})
	}
}

func after(t *testing.T, steps ...[]step) state {
	t.Helper()
	var s state
	for _, part := range steps {
		for _, st := range part {
			s, _ = next(s, st.ev)
		}
	}
	return s
}

func TestProblemsAreKeptUntilTheyAreSolved(t *testing.T) {
	s := after(t, serving, []step{{ev: source()}, {ev: broke{2, typo}}})
	if s.failure == nil {
		t.Error("a failed build left no failure")
	}
	s = after(t, serving, []step{{ev: source()}, {ev: broke{2, typo}}, {ev: source()}, {ev: built{3}}})
	if s.failure == nil {
		t.Error("the failure is gone before the new code answers")
	}
	s, _ = next(s, ready{s.starting.id})
	if s.failure != nil {
		t.Error("the failure outlives the fix")
	}

	crash := []step{{ev: lost{1}}, {ev: exited{1, boom}}, {ev: due{1}}, {ev: ready{2}}, {ev: moved{2}}}
	s = after(t, serving, crash)
	if s.crash == nil {
		t.Error("a restart hides the crash")
	}
	if s, _ := next(s, healthy{2}); s.crash != nil {
		t.Error("the crash is shown although the code runs well")
	}
	s = after(t, serving, crash, []step{{ev: source()}, {ev: built{2}}, {ev: ready{3}}})
	if s.crash != nil {
		t.Error("the crash outlives the fix")
	}
}

func TestNextLeavesItsArgumentAlone(t *testing.T) {
	s := after(t, serving, []step{{ev: source()}, {ev: built{2}}, {ev: ready{2}}, {ev: source()}, {ev: built{3}}, {ev: ready{3}}})
	before := append([]int(nil), s.leaving...)
	next(s, exited{Host: 1})
	if diff := cmp.Diff(s.leaving, before); diff != "" {
		t.Errorf("leaving (-got +want):\n%s", diff)
	}
}
