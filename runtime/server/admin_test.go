package server_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// watched is a server with its admin handler.
type watched struct {
	*httptest.Server
	server *server.Server
	admin  *httptest.Server
}

func startWatched(t *testing.T, opts ...server.Option) *watched {
	t.Helper()
	s, err := server.New(append(opts, quiet())...)
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{httptest.NewServer(s), s, httptest.NewServer(s.Admin())}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		w.Close()
		w.admin.Close()
	})
	return w
}

// metrics scrapes, and returns the samples by what stands before their values.
func (w *watched) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	a := visit(t, w.admin.URL+"/metrics")
	if got, want := a.header.Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8"; a.status != 200 || got != want {
		t.Errorf("got %d of type %q, want 200 of type %q", a.status, got, want)
	}
	samples := make(map[string]float64)
	for line := range strings.Lines(a.body) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "# HELP ") || strings.HasPrefix(line, "# TYPE ") {
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("line %q is no sample", line)
			continue
		}
		v, err := strconv.ParseFloat(m[2], 64)
		if _, twice := samples[m[1]]; twice || err != nil {
			t.Errorf("line %q: there twice: %v, %v", line, twice, err)
		}
		samples[m[1]] = v
	}
	return samples
}

var sampleLine = regexp.MustCompile(`^([a-z][a-z0-9_]*(?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})?) (\S+)$`)

func (w *watched) wantMetrics(t *testing.T, want map[string]float64) {
	t.Helper()
	diff := ""
	t.Cleanup(func() {
		if diff != "" {
			t.Errorf("metrics (-got +want):\n%s", diff)
		}
	})
	until(t, "the metrics", func() bool {
		all := w.metrics(t)
		got := maps.Clone(want)
		for name := range want {
			v, ok := all[name]
			if !ok {
				v = -1
			}
			got[name] = v
		}
		diff = cmp.Diff(got, want)
		return diff == ""
	})
}

func TestMetricsCountWhatHappens(t *testing.T) {
	room := script{
		connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error { return nil },
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			if msg.Text() == "write" {
				if err := r.Storage().Put(ctx, "n", 1); err != nil {
					return err
				}
			}
			if msg.Text() == "alarm" {
				return r.SetAlarm(time.Now().Add(time.Hour))
			}
			return r.Broadcast(msg)
		},
		request: say("answer"),
	}
	w := startWatched(t, server.Rooms(room.define("a", party.AsHibernating()), room.define("b")), server.WithLimits(server.Limits{Idle: 20 * time.Millisecond}))
	a := dial(t, w.Server, "/parties/a/x")
	b := dial(t, w.Server, "/parties/b/x")
	b2 := dial(t, w.Server, "/parties/b/x")
	b.say("write")
	b.want("write")
	b2.want("write")
	for n := range 30 {
		a.say(strconv.Itoa(n))
		a.want(strconv.Itoa(n))
	}
	a.say("alarm")
	visit(t, w.URL+"/parties/b/y").check(t, 200, "answer")
	visit(t, w.URL+"/nothing").check(t, 404, "Not found\n")
	w.wantMetrics(t, map[string]float64{
		`party_rooms{party="a",state="live"}`:                           0,
		`party_rooms{party="a",state="hibernated"}`:                     1,
		`party_rooms{party="b",state="live"}`:                           1,
		`party_rooms{party="b",state="hibernated"}`:                     0,
		`party_connections{party="a"}`:                                  1,
		`party_connections{party="b"}`:                                  2,
		`party_messages_received_total{party="a"}`:                      31,
		`party_messages_received_total{party="b"}`:                      1,
		`party_messages_sent_total{party="a"}`:                          30,
		`party_messages_sent_total{party="b"}`:                          2,
		`party_slow_connections_total{party="a"}`:                       0,
		`party_events_total{party="a",kind="open"}`:                     1,
		`party_events_total{party="b",kind="open"}`:                     2,
		`party_events_total{party="a",kind="message"}`:                  31,
		`party_events_total{party="b",kind="request"}`:                  1,
		`party_turn_seconds_count{party="b",kind="open"}`:               2,
		`party_turn_seconds_count{party="a",kind="message"}`:            2, // of those with the numbers 16 and 32
		`party_turn_seconds_count{party="b",kind="message"}`:            0,
		`party_turn_seconds_bucket{party="b",kind="request",le="+Inf"}`: 1,
		`party_queue_seconds_count{party="b",kind="request"}`:           1,
		`party_queue_seconds_count{party="a",kind="request"}`:           0,
		`party_commits_total{party="a",result="ok"}`:                    1,
		`party_commits_total{party="b",result="ok"}`:                    1,
		`party_commits_total{party="b",result="failed"}`:                0,
		`party_gate_wait_seconds_count{party="a"}`:                      1,
		`party_alarms{state="scheduled"}`:                               1,
		`party_alarms{state="due"}`:                                     0,
		`party_requests_total{code="1xx"}`:                              3,
		`party_requests_total{code="2xx"}`:                              1,
		`party_requests_total{code="4xx"}`:                              1,
		`party_request_seconds_count`:                                   2,
		`party_draining`:                                                0,
	})
}

// A turn is timed without its awaits, and what waits for it with all of its parts.
func TestTurnsAreTimedWithoutTheirAwaits(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	room := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if err := r.Await(req.Context(), func(context.Context) error {
			close(entered)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	}}
	w := startWatched(t, server.Rooms(room.define("a")))
	began := time.Now()
	done := make(chan answer)
	go func() { done <- visit(t, w.URL+"/parties/a/x") }()
	within(t, entered, "the await")
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	within(t, done, "the answer").check(t, 200, "")
	took := time.Since(began).Seconds()
	var m map[string]float64
	until(t, "the end of the turn", func() bool { // which is after the answer
		m = w.metrics(t)
		return m[`party_turn_seconds_count{party="a",kind="request"}`] == 1
	})
	turn, queue := m[`party_turn_seconds_sum{party="a",kind="request"}`], m[`party_queue_seconds_sum{party="a",kind="request"}`]
	if turn <= 0 || turn+queue > took-0.3 {
		t.Errorf("turn %v s, queue %v s, of %v s with 0.3 s in an await", turn, queue, took)
	}
}

// Turns that a room begins itself are counted like those of events, and one in 16 is measured, without its awaits.
func TestTurnsOfTimersAreCounted(t *testing.T) {
	const turns = 64
	done := make(chan struct{})
	room := script{start: func(_ context.Context, r *scripted) error {
		n := 0
		var tick *party.Timer
		tick = r.Every(time.Millisecond, func() {
			if n++; n == turns-1 {
				tick.Stop()
				close(done)
			}
		})
		r.After(time.Microsecond, func() {})
		return nil
	}, request: say("answer")}
	w := startWatched(t, server.Rooms(room.define("a")))
	visit(t, w.URL+"/parties/a/x").check(t, 200, "answer")
	within(t, done, "the last tick")
	w.wantMetrics(t, map[string]float64{
		`party_events_total{party="a",kind="timer"}`: turns,
		// The request was the first turn, so theirs have the numbers 1 to 64, counted from 0.
		`party_turn_seconds_count{party="a",kind="timer"}`:  4,
		`party_queue_seconds_count{party="a",kind="timer"}`: 4,
	})
}

func TestAlarmsThatAreLate(t *testing.T) {
	rang := make(chan struct{}, 1)
	block := make(chan struct{})
	room := script{
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			if err := r.SetAlarm(time.Now()); err != nil {
				t.Error(err)
			}
			if err := r.Storage().Sync(req.Context()); err != nil {
				t.Error(err)
			}
			<-block
		},
		alarm: func(context.Context, *scripted) error { rang <- struct{}{}; return nil },
	}
	w := startWatched(t, server.Rooms(room.define("a")))
	done := make(chan answer)
	go func() { done <- visit(t, w.URL+"/parties/a/x") }()
	w.wantMetrics(t, map[string]float64{`party_alarms{state="scheduled"}`: 0, `party_alarms{state="due"}`: 1})
	time.AfterFunc(1100*time.Millisecond, func() { close(block) })
	within(t, done, "the answer")
	within(t, rang, "the alarm")
	w.wantMetrics(t, map[string]float64{`party_alarms{state="due"}`: 0, `party_alarms_late_total{party="a"}`: 1, `party_alarm_lag_seconds_count{party="a"}`: 1})
}

// The documentation has every metric, with the same words, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	w := startWatched(t, server.Rooms(script{}.define("a")), server.Data(t.TempDir()))
	served := make(map[string]string)
	for line := range strings.Lines(visit(t, w.admin.URL+"/metrics").body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			served[name] = help
		} else if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			served[name] = kind + ": " + served[name]
		}
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)(?:\\{[a-z,]+\\})?` \\| ([a-z]+) \\| (.*) \\|$").FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = m[2] + ": " + m[3]
	}
	if len(served) < 10 {
		t.Errorf("only %d metrics: %v", len(served), slices.Sorted(maps.Keys(served)))
	}
	if diff := cmp.Diff(documented, served); diff != "" {
		t.Errorf("docs/metrics.md (-) and /metrics (+):\n%s", diff)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	store := &faulty{Store: memory.New()}
	held, release := make(chan struct{}), make(chan struct{})
	room := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if req.Method == "PUT" {
			if err := r.Storage().Put(req.Context(), "n", 1); err != nil {
				t.Error(err)
			}
			return
		}
		close(held)
		<-release
	}}
	w := startWatched(t, server.Rooms(room.define("a")), server.Store(store))
	visit(t, w.admin.URL+"/healthz").check(t, 200, "ok\n")
	visit(t, w.admin.URL+"/readyz").check(t, 200, "ready\n")

	store.fail.Store(true)
	fetch(t, "PUT", w.URL+"/parties/a/x", "").check(t, 500, "the room was reset\n")
	visit(t, w.admin.URL+"/readyz").check(t, 503, "the store could not write\n")
	store.fail.Store(false)
	fetch(t, "PUT", w.URL+"/parties/a/x", "").check(t, 200, "")
	visit(t, w.admin.URL+"/readyz").check(t, 200, "ready\n")

	store.unreadable.Store(true)
	visit(t, w.admin.URL+"/readyz").check(t, 503, "the store cannot be read: "+errFaulty.Error()+"\n")
	store.unreadable.Store(false)

	// While the server drains it is alive, and not ready.
	answered := make(chan answer)
	go func() { answered <- visit(t, w.URL+"/parties/a/held") }()
	within(t, held, "the request")
	drained := make(chan error)
	go func() { drained <- w.server.Shutdown(context.Background()) }()
	until(t, "the server to drain", func() bool { return visit(t, w.admin.URL+"/readyz").status == 503 })
	visit(t, w.admin.URL+"/readyz").check(t, 503, "the server is shutting down\n")
	visit(t, w.admin.URL+"/healthz").check(t, 200, "ok\n")
	if m := w.metrics(t); m["party_draining"] != 1 {
		t.Errorf("party_draining %v, want 1", m["party_draining"])
	}
	close(release)
	within(t, answered, "the answer").check(t, 200, "")
	if err := within(t, drained, "the shutdown"); err != nil {
		t.Error(err)
	}
}

func TestProfiles(t *testing.T) {
	w := startWatched(t, server.Rooms(script{}.define("a")))
	if a := visit(t, w.admin.URL+"/debug/pprof/"); a.status != 200 || !strings.Contains(a.body, "goroutine?debug=1\n") {
		t.Errorf("the list: %d %q", a.status, a.body)
	}
	if a := visit(t, w.admin.URL+"/debug/pprof/goroutine?debug=1"); a.status != 200 || !strings.HasPrefix(a.body, "goroutine profile: total ") {
		t.Errorf("goroutines: %d %.100q", a.status, a.body)
	}
	for _, path := range []string{"heap", "profile?seconds=0.01", "trace?seconds=0.01"} {
		if a := visit(t, w.admin.URL+"/debug/pprof/"+path); a.status != 200 || len(a.body) == 0 || a.header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %d, %d bytes, %v", path, a.status, len(a.body), a.header)
		}
	}
	if a := visit(t, w.admin.URL+"/debug/pprof/nothing"); a.status != 404 {
		t.Errorf("nothing: %d %q", a.status, a.body)
	}
	visit(t, w.admin.URL+"/debug/pprof/profile?seconds=x").check(t, 400, "seconds must be a number, at most 300\n")
	// Nothing of it is where programs serve it to everybody.
	if _, pattern := http.DefaultServeMux.Handler(httptest.NewRequest("GET", "/debug/pprof/", nil)); pattern != "" {
		t.Errorf("http.DefaultServeMux has %q", pattern)
	}
}

var errFaulty = errors.New("the disk is gone")
