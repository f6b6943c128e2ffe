//go:build unix

package hosting

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// tail follows a log; next returns the next line.
func (s *site) tail(app string, q api.LogQuery) (next func() api.LogLine) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+api.AppPath(app, api.LogsPath)+"?"+q.Values().Encode(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("tail: %v, %v", resp, err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewReader(resp.Body)
	return func() api.LogLine {
		s.t.Helper()
		var l api.LogLine
		text, err := lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(text, &l)
		}
		if err != nil {
			s.t.Fatalf("next line of the log: %v", err)
		}
		return l
	}
}

func TestTail(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	next := s.tail("chat", api.LogQuery{Follow: true, Kinds: []string{api.KindRequest, api.KindOpen, api.KindClose}})
	said := s.tail("chat", api.LogQuery{Follow: true, Search: "hello from"})
	agent := s.tail("chat", api.LogQuery{Follow: true, Headers: []api.HeaderMatch{{Name: "user-agent", Value: "special"}}})

	s.visit("chat.apps.test", "/parties/tally/room?say=hello+from+inside&_pk=me")
	l := next()
	if l.Kind != api.KindRequest || l.Method != "GET" || l.Status != 200 || l.Outcome != api.OK || l.IP != "127.0.0.1" || l.Conn != "me" || l.Room != "room" || l.Party != "tally" ||
		l.URL != "http://chat.apps.test/parties/tally/room?say=***&_pk=me" {
		t.Errorf("the line of a request is %+v", l)
	}
	if l := said(); l.Message != "hello from inside" || l.Room != "room" || l.Level != "info" || l.Kind != api.KindLog {
		t.Errorf("the line of the app is %+v", l)
	}
	if r := s.visit("chat.apps.test", "/parties/none/room"); r.status != http.StatusNotFound {
		t.Fatalf("got %d", r.status)
	}
	if l := next(); l.Status != http.StatusNotFound || l.Outcome != api.OK {
		t.Errorf("the line of a 404 is %+v", l)
	}
	c := s.dial("chat.apps.test", "/parties/tally/room?_pk=you")
	if l := next(); l.Kind != api.KindOpen || l.Conn != "you" {
		t.Errorf("the line of a socket is %+v", l)
	}
	c.ws.Close()
	if l := next(); l.Kind != api.KindClose || l.Conn != "you" {
		t.Errorf("the line of a socket's end is %+v", l)
	}
	req, err := http.NewRequest("GET", s.url+"/parties/tally/room", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "chat.apps.test"
	for name, value := range map[string]string{"User-Agent": "very special", "Authorization": "hush", "Cookie": "hush", "X-Api-Key": "hush", "X-Session-Token": "hush"} {
		req.Header.Set(name, value)
	}
	s.send(req)
	l = agent()
	want := map[string]string{"User-Agent": "very special", "Authorization": mask, "Cookie": mask, "X-Api-Key": mask, "X-Session-Token": mask, "Accept-Encoding": "gzip"}
	if diff := cmp.Diff(l.Headers, want); diff != "" {
		t.Errorf("the headers of a request: -got +want:\n%s", diff)
	}
	next()
	// The past, with conditions.
	past := func(q api.LogQuery) []api.LogLine {
		t.Helper()
		r := s.ask(s.token, "GET", api.AppPath("chat", api.LogsPath)+"?"+q.Values().Encode(), nil)
		if r.status != 200 {
			t.Fatalf("the log: %d %s", r.status, r.body)
		}
		var list []api.LogLine
		for line := range strings.Lines(string(r.body)) {
			var l api.LogLine
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			list = append(list, l)
		}
		return list
	}
	if list := past(api.LogQuery{Lines: 1, Conns: []string{"me"}}); len(list) != 1 || list[0].Conn != "me" || list[0].Headers != nil {
		t.Errorf("the last line of a connection is %+v", list)
	}
	if list := past(api.LogQuery{Lines: 2, Kinds: []string{api.KindRequest}, IPs: []string{"self"}}); len(list) != 2 || list[1].Status != 200 || list[0].Status != 404 {
		t.Errorf("the last two requests are %+v", list)
	}
	if list := past(api.LogQuery{Lines: 10, Kinds: []string{api.KindHost}}); len(list) == 0 || !strings.Contains(list[0].Message, "serves") {
		t.Errorf("what the host says is %+v", list)
	}
	s.ask(s.token, "GET", api.AppPath("chat", api.LogsPath)+"?sampling=2", nil).failure(t, "a bad condition", api.CodeBadRequest)
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"no_requests": true}`, nil)
	before := len(past(api.LogQuery{Lines: 1000, Kinds: []string{api.KindRequest}}))
	s.visit("chat.apps.test", "/parties/tally/room")
	if after := len(past(api.LogQuery{Lines: 1000, Kinds: []string{api.KindRequest}})); after != before {
		t.Errorf("requests are kept though they should not be: %d and then %d lines", before, after)
	}
}

func TestShownURL(t *testing.T) {
	h := &Host{}
	for path, want := range map[string]string{
		"/a%2fb?x=1&_pk=me&y": "http://h/a%2fb?x=***&_pk=me&***",
		"/a":                  "http://h/a",
		"/a?secret":           "http://h/a?***",
		"/a?a=b=c&%5fpk=x":    "http://h/a?a=***&%5fpk=***",
	} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "h"
		if got := h.shown(r); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
}

func TestRoomOf(t *testing.T) {
	for path, want := range map[string][2]string{
		"/parties/chat/a%2Fb/c": {"chat", "a/b"}, "/party/lobby": {"", "lobby"}, "/parties/chat": {}, "/": {}, "/x/y/z": {}, "/parties/chat/%zz": {"chat", "%zz"},
	} {
		if party, room := roomOf(path); party != want[0] || room != want[1] {
			t.Errorf("roomOf(%q) = %q, %q, want %q", path, party, room, want)
		}
	}
}

func TestBackups(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	var b api.Backup
	s.want(200, "POST", api.AppPath("chat", api.BackupsPath), nil, &b)
	c.talk("b", "2 v1 b")
	var list []api.Backup
	s.want(200, "GET", api.AppPath("chat", api.BackupsPath), nil, &list)
	if len(list) != 1 || list[0] != b || b.Kind != backupAsked || b.Size == 0 {
		t.Errorf("the backups are %+v, want %+v", list, b)
	}
	if r := s.ask(s.token, "GET", api.BackupFilePath("chat", b.ID), nil); r.status != 200 || int64(len(r.body)) != b.Size || !strings.HasPrefix(string(r.body), "SQLite format 3") {
		t.Errorf("the backup: %d, %d bytes", r.status, len(r.body))
	}
	c.ws.Close()
	events := s.events(s.ask(s.token, "POST", api.RestorePath("chat", b.ID), nil))
	if events[len(events)-1].Kind != api.Done {
		t.Errorf("restore: %+v", events)
	}
	s.says("chat.apps.test", "/parties/tally/room?count", "1 <nil>")
	for _, id := range []string{"..%2f..%2fapp", "20300101T000000.000Z-asked", "x", b.ID + "x"} {
		if r := s.ask(s.token, "GET", "/v1/apps/chat/backups/"+id, nil); r.status != http.StatusNotFound {
			t.Errorf("the backup %q: %d %s", id, r.status, r.body)
		}
	}
	s.want(204, "DELETE", api.BackupFilePath("chat", b.ID), nil, nil)
	s.ask(s.token, "DELETE", api.BackupFilePath("chat", b.ID), nil).failure(t, "delete again", api.CodeNotFound)
}

func TestScheduledBackups(t *testing.T) {
	elsewhere := t.TempDir()
	s := newSite(t, func(o *Options) { o.Snapshots = elsewhere })
	s.deploy("chat", "v1")
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"backup_cron": "30 3 * * *", "backup_keep": 2}`, nil)
	a := s.app("chat")
	day := mustTime(t, "2030-01-01T03:29:30Z")
	a.scheduled(t.Context(), day, day.Add(20e9)) // 20 s: not yet
	if list, err := a.backupList(); err != nil || len(list) != 0 {
		t.Errorf("before its time there are %v, %v", list, err)
	}
	for range 3 {
		a.scheduled(t.Context(), day, day.Add(60e9))
	}
	if list, err := a.backupList(); err != nil || len(list) != 2 || list[0].Kind != backupScheduled {
		t.Errorf("after three there are %+v, %v, want the last 2", list, err)
	}
	list, err := a.backupList()
	if err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(filepath.Join(elsewhere, "chat", "*.db"))
	if err != nil || len(copies) != 2 {
		t.Fatalf("elsewhere there are %v, %v, want 2", copies, err)
	}
	for n, b := range list {
		path, err := a.backupFile(b.ID)
		if err != nil {
			t.Fatal(err)
		}
		here, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if there, err := os.ReadFile(copies[n]); err != nil || !bytes.Equal(here, there) {
			t.Errorf("the copy %s is not backup %s: %v", copies[n], b.ID, err)
		}
	}
	// A place that is gone costs the copy, and not the backup.
	if err := os.RemoveAll(elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.scheduled(t.Context(), day, day.Add(60e9))
	lines, _, err := a.log.Past(1, func(l *api.LogLine) bool { return l.Level == "error" }, false)
	if err != nil || len(lines) != 1 || !strings.Contains(lines[0].Message, "only on this host") {
		t.Errorf("the log says %+v, %v", lines, err)
	}
}

func TestRoomsAsFiles(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	s.deploy("other", "v1")
	s.dial("chat.apps.test", "/parties/tally/room").talk("a", "1 v1 a")
	path := func(app, room string) string {
		return api.AppPath(app, api.RoomPath) + "?" + api.RoomQuery("tally", room).Encode()
	}
	r := s.ask(s.token, "GET", path("chat", "room"), nil)
	if r.status != 200 || len(r.body) == 0 {
		t.Fatalf("pull: %d %s", r.status, r.body)
	}
	s.want(204, "PUT", path("other", "a/b"), r.body, nil)
	s.says("other.apps.test", "/parties/tally/"+url.PathEscape("a/b")+"?count", "1 <nil>")
	s.ask(s.token, "PUT", path("other", "a/b"), r.body).failure(t, "push over a room", api.CodeRefused)
	s.want(204, "PUT", path("other", "a/b")+"&replace=true", r.body, nil)
	s.ask(s.token, "PUT", path("other", "c"), "no room").failure(t, "push something else", api.CodeRefused)
	s.ask(s.token, "GET", path("chat", "absent"), nil).failure(t, "pull a room without data", api.CodeRefused)
	s.ask(s.token, "GET", api.AppPath("chat", api.RoomPath)+"?party=tally", nil).failure(t, "no room", api.CodeBadRequest)
	// Names like flags are names.
	s.want(204, "PUT", path("other", "--force"), r.body, nil)
	s.says("other.apps.test", "/parties/tally/--force?count", "1 <nil>")
	s.ask(s.token, "PUT", path("other", "--force"), r.body).failure(t, "push over a room called --force", api.CodeRefused)
	s.ask(s.token, "GET", api.AppPath("chat", api.RoomPath)+"?party=--data%3D%2Fetc&room=x", nil).failure(t, "a party called like a flag", api.CodeRefused)
}

func TestProxy(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	req, err := http.NewRequest("GET", s.url+"/parties/tally/x?headers", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "chat.apps.test"
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip"} {
		req.Header.Set(name, "evil")
	}
	if r := s.send(req); strings.Contains(string(r.body), "evil") || !strings.Contains(string(r.body), "Host=chat.apps.test") {
		t.Errorf("the app sees %s", r.body)
	}
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"body_bytes": 100}`, nil)
	for size, want := range map[int]int{100: 200, 101: 413} {
		req, err := http.NewRequest("POST", s.url+"/parties/tally/x", strings.NewReader(strings.Repeat("a", size)))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "chat.apps.test"
		if r := s.send(req); r.status != want {
			t.Errorf("a body of %d bytes: got %d %s, want %d", size, r.status, r.body, want)
		}
	}
}

func TestCrashLoop(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	a := s.app("chat")
	s.want(204, "PUT", api.BlobPath("chat", hash(program(t, "stillborn"))), program(t, "stillborn"), nil)
	blob, err := s.host.findBlob("chat", nil, hash(program(t, "stillborn")))
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFile(blob, a.place.blob(hash(program(t, "stillborn")))); err != nil {
		t.Fatal(err)
	}
	a.run(hash(program(t, "stillborn"))) // as if it could not start any more
	s.await("it has crashed three times", func() bool { st := a.status(); return st.starts >= 3 && st.state == api.Crashed })
	r := s.visit("chat.apps.test", "/parties/tally/x")
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("meanwhile it answers %d %s", r.status, r.body)
	}
	var info api.AppInfo
	s.want(200, "GET", api.AppPath("chat", ""), nil, &info)
	if !strings.Contains(info.Problem, "the stillborn has nothing to say") || info.Restarts < 3 {
		t.Errorf("the app is %+v", info)
	}
	// A deploy mends it.
	s.deploy("chat", "v2")
	s.says("chat.apps.test", "/parties/tally/x", "v2")
}

func TestDelay(t *testing.T) {
	var got []string
	for _, n := range []int{1, 2, 3, 7, 8, 100} {
		got = append(got, fmt.Sprint(delay(n)))
	}
	if want := []string{"250ms", "500ms", "1s", "16s", "30s", "30s"}; !cmp.Equal(got, want) {
		t.Errorf("the delays are %v, want %v", got, want)
	}
}

func TestMetrics(t *testing.T) {
	s := newSite(t)
	s.deploy("one", "v1")
	s.deploy("two", "v1")
	s.dial("one.apps.test", "/parties/tally/room").talk("a", "1 v1 a")
	w := httptest.NewRecorder()
	s.host.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`party_host_app_up{app="one"} 1`, `party_host_sockets_open{app="one"} 1`, `party_host_sockets_open{app="two"} 0`, `go_goroutines{app="two"} `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("there is no %s", want)
		}
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(text) {
		if m := headLine.FindStringSubmatch(line); m != nil && m[1] == "TYPE" {
			if seen[m[2]] {
				t.Errorf("the metric %s is there twice", m[2])
			}
			seen[m[2]] = true
		}
	}
	w = httptest.NewRecorder()
	s.host.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 200 {
		t.Errorf("/readyz: %d", w.Code)
	}
}

func TestMetricsOfAnAppAreNotBelieved(t *testing.T) {
	var all families
	all.add("bad", []byte("# TYPE a counter\na 1\na{x=\"}\"} 2\na{app=\"good\"} 3\na{x=\"1\", app=\"good\"} 3\nparty_host_app_up{} 0\n# TYPE party_host_x gauge\nno metric\nb_bucket{le=\"1\"} 4 1234\n\xff 1\n"))
	all.add("good", []byte("# TYPE a gauge\na 5\n"))
	var b strings.Builder
	if err := all.write(&b); err != nil {
		t.Fatal(err)
	}
	want := "# TYPE a counter\na{app=\"bad\"} 1\na{app=\"bad\",x=\"}\"} 2\na{app=\"good\"} 5\nb_bucket{app=\"bad\",le=\"1\"} 4 1234\n"
	if diff := cmp.Diff(b.String(), want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
