package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/hosting/api"
)

var generous = Options{Bytes: 1 << 20, Age: 24 * time.Hour, Rate: 1 << 20}

func open(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	j.Problems = func(err error) { t.Error(err) }
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func all(*api.LogLine) bool { return true }

func past(t *testing.T, j *Journal, n int, want func(*api.LogLine) bool) []string {
	t.Helper()
	lines, _, err := j.Past(n, want, false)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.Message)
	}
	return out
}

func say(text string) api.LogLine { return api.LogLine{Kind: api.KindLog, Message: text} }

func TestPastAndFollow(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, generous)
	for n := range 5 {
		j.Add(say(fmt.Sprint(n)))
	}
	if got, want := past(t, j, 3, all), []string{"2", "3", "4"}; !cmp.Equal(got, want) {
		t.Errorf("the last 3 lines are %q, want %q", got, want)
	}
	lines, f, err := j.Past(1, all, true)
	if err != nil || len(lines) != 1 || lines[0].Message != "4" {
		t.Fatalf("Past(1) = %v, %v", lines, err)
	}
	l := say("5")
	l.Headers = map[string]string{"X-A": "b"}
	j.Add(l)
	if got := <-f.Lines(); got.Message != "5" || got.Headers["X-A"] != "b" || got.Time.IsZero() {
		t.Errorf("the follower got %+v", got)
	}
	f.Close()
	if _, more := <-f.Lines(); more {
		t.Error("a closed follower gets lines")
	}
	again := open(t, dir, generous)
	again.Add(say("6"))
	if got, want := past(t, again, 10, all), []string{"0", "1", "2", "3", "4", "5", "6"}; !cmp.Equal(got, want) {
		t.Errorf("after a restart the lines are %q, want %q", got, want)
	}
	kept, _, err := again.Past(2, all, false)
	if err != nil || kept[0].Headers != nil {
		t.Errorf("headers are kept on disk: %+v, %v", kept, err)
	}
}

func TestRetention(t *testing.T) {
	dir := t.TempDir()
	o := Options{Bytes: 8 * minSegment, Age: 48 * time.Hour, Rate: 1 << 20}
	j := open(t, dir, o)
	now := time.Now()
	j.now = func() time.Time { now = now.Add(time.Millisecond); return now }
	for n := range 2000 {
		j.Add(say(fmt.Sprintf("%d %s", n, strings.Repeat("x", 100))))
	}
	size := func() (total int64, files int) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			total += info.Size()
		}
		return total, len(entries)
	}
	if total, files := size(); total > o.Bytes+minSegment || total < o.Bytes/2 || files < segments/2 {
		t.Errorf("there are %d bytes in %d files, want about %d", total, files, o.Bytes)
	}
	if got := past(t, j, 1, all); !strings.HasPrefix(got[0], "1999 ") {
		t.Errorf("the last line is %q", got)
	}
	// A day later there is another file, and after the age only that of the day.
	now = now.Add(25 * time.Hour)
	j.Add(say("the next day"))
	now = now.Add(25 * time.Hour)
	j.Prune()
	if got := past(t, j, 10, all); !cmp.Equal(got, []string{"the next day"}) {
		t.Errorf("after the age there is %.100q", got)
	}
}

func TestRate(t *testing.T) {
	o := generous
	o.Rate = 3
	j := open(t, t.TempDir(), o)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	j.now = func() time.Time { return now }
	for n := range 10 {
		j.Add(say(fmt.Sprint(n)))
	}
	j.Add(api.LogLine{Kind: api.KindHost, Message: "host"})
	now = now.Add(time.Second)
	j.Add(say("10"))
	want := []string{"0", "1", "2", "host", "7 lines in this second were too many and are not here", "10"}
	if diff := cmp.Diff(past(t, j, 100, all), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func TestSlowFollowerIsTold(t *testing.T) {
	j := open(t, t.TempDir(), generous)
	_, f, err := j.Past(0, all, true)
	if err != nil {
		t.Fatal(err)
	}
	for n := range backlog + 5 {
		j.Add(say(fmt.Sprint(n)))
	}
	for range 2 {
		<-f.Lines()
	}
	j.Add(say("late"))
	f.Close()
	var last []api.LogLine
	for l := range f.Lines() {
		last = append(last, l)
	}
	if n := len(last); n < 2 || last[n-2].Count != 5 || last[n-1].Message != "late" {
		t.Errorf("the follower got at the end %+v", last[max(0, n-2):])
	}
}

func TestFollowersAreBounded(t *testing.T) {
	j := open(t, t.TempDir(), generous)
	for range followers {
		if _, _, err := j.Past(0, all, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := j.Past(0, all, true); !errors.Is(err, ErrTooMany) {
		t.Errorf("follower %d: got error %v", followers+1, err)
	}
}

func TestLongLinesAreCut(t *testing.T) {
	j := open(t, t.TempDir(), generous)
	j.Add(say(strings.Repeat("ä", maxText)))
	if got := past(t, j, 1, all)[0]; len(got) > maxText+len("…") || !strings.HasSuffix(got, "ä…") {
		t.Errorf("the line has %d bytes, and ends with %q", len(got), got[len(got)-10:])
	}
}

func TestFilter(t *testing.T) {
	get := api.LogLine{
		Kind: api.KindRequest, Outcome: api.OK, Method: "GET", URL: "https://chat.example.com/Parties/x", IP: "::ffff:10.0.0.1", Conn: "me",
		Headers: map[string]string{"User-Agent": "Firefox"},
	}
	for _, test := range []struct {
		q    api.LogQuery
		want bool
	}{
		{api.LogQuery{}, true},
		{api.LogQuery{Outcomes: []api.Outcome{api.Err, api.OK}}, true},
		{api.LogQuery{Outcomes: []api.Outcome{api.Err}}, false},
		{api.LogQuery{Methods: []string{"GET"}}, true},
		{api.LogQuery{Methods: []string{"POST"}}, false},
		{api.LogQuery{Search: "parties"}, true},
		{api.LogQuery{Search: "nothing"}, false},
		{api.LogQuery{IPs: []string{"10.0.0.1"}}, true},
		{api.LogQuery{IPs: []string{"self"}}, true},
		{api.LogQuery{IPs: []string{"10.0.0.2"}}, false},
		{api.LogQuery{Conns: []string{"me"}}, true},
		{api.LogQuery{Conns: []string{"you"}}, false},
		{api.LogQuery{Headers: []api.HeaderMatch{{Name: "user-agent"}}}, true},
		{api.LogQuery{Headers: []api.HeaderMatch{{Name: "user-agent", Value: "firefox"}}}, true},
		{api.LogQuery{Headers: []api.HeaderMatch{{Name: "user-agent", Value: "curl"}}}, false},
		{api.LogQuery{Headers: []api.HeaderMatch{{Name: "x-none"}}}, false},
		{api.LogQuery{Kinds: []string{api.KindLog}}, false},
		{api.LogQuery{Outcomes: []api.Outcome{api.OK}, Methods: []string{"POST"}}, false},
	} {
		if got := Filter(&test.q, "10.0.0.1")(&get); got != test.want {
			t.Errorf("%+v wants the line: %v, want %v", test.q, got, test.want)
		}
	}
	sampled, n := Filter(&api.LogQuery{Sampling: 0.5}, ""), 0
	for range 10_000 {
		if sampled(&get) {
			n++
		}
	}
	if n < 4000 || n > 6000 {
		t.Errorf("half of 10000 is %d", n)
	}
}

func TestParse(t *testing.T) {
	when := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]api.LogLine{
		"listening on http://x": {Kind: "log", Message: "listening on http://x"},
		`{"time":"2030-01-02T03:04:05Z","level":"ERROR","msg":"no","party":"chat","room":"a","conn":"c","err":"x"}`: {
			Kind: "log", Time: when, Level: "error", Outcome: api.Err, Message: "no", Party: "chat", Room: "a", Conn: "c", Fields: map[string]any{"err": "x"},
		},
		`{"kind":"host","msg":"I am the host"}`: {Kind: "log", Message: "I am the host", Fields: map[string]any{"kind": "host"}},
		`{"msg":1}`:                             {Kind: "log", Fields: map[string]any{"msg": 1.0}},
		"{broken":                               {Kind: "log", Message: "{broken"},
		"a\xffb":                                {Kind: "log", Message: "a\uFFFDb"},
	} {
		if diff := cmp.Diff(Parse(text), want); diff != "" {
			t.Errorf("Parse(%q): -got +want:\n%s", text, diff)
		}
	}
}
