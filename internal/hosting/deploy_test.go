//go:build unix

package hosting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

func TestDeployKeepsSockets(t *testing.T) {
	s := newSite(t)
	list := s.deploy("chat", "v1")
	if ev := find(t, list, api.Healthy); ev.URL != "http://chat.apps.test:"+s.host.port() {
		t.Errorf("it is healthy at %q", ev.URL)
	}
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	moved := find(t, s.deploy("chat", "v2"), api.HandedOver)
	if moved.Sockets != 1 || moved.Rooms != 1 {
		t.Errorf("handed over: %+v, want 1 room with 1 socket", moved)
	}
	c.talk("b", "2 v2 b")
	s.deploy("chat", "v3")
	c.talk("c", "3 v3 c")
	back := find(t, s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), nil)), api.HandedOver)
	if back.Sockets != 1 {
		t.Errorf("rolled back: %+v, want 1 socket", back)
	}
	c.talk("d", "4 v2 d")
	var versions []api.Version
	s.want(200, "GET", api.AppPath("chat", api.VersionsPath), nil, &versions)
	if len(versions) != 3 || versions[0].State != replacedState || versions[1].State != servingState || versions[2].State != backState || versions[0].Message != "this is v3" || versions[0].By != "all" {
		t.Errorf("the versions are %+v", versions)
	}
	first := versions[2].ID
	s.deploy("chat", "v3")
	list = s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), api.RollbackRequest{Version: first}))
	if list[len(list)-1].Kind != api.Done {
		t.Errorf("two versions back: %+v", list)
	}
	c.talk("e", "5 v1 e")
	s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), api.RollbackRequest{Version: "0123456789ab"}).failure(t, "a version that is not known", api.CodeNotFound)
}

func TestCrashingVersionGoesBack(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Probation = time.Minute })
	s.deploy("chat", "v1")
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	list := s.try("chat", "crashing")
	if last := list[len(list)-1]; last.Kind != api.Failed || last.Code != api.CodeUnhealthy || !strings.Contains(last.Reason, "status 4") {
		t.Errorf("the last event is %+v", last)
	}
	find(t, list, api.RolledBack)
	c.talk("b", "2 v1 b")
	var versions []api.Version
	s.want(200, "GET", api.AppPath("chat", api.VersionsPath), nil, &versions)
	if len(versions) != 1 || versions[0].State != servingState {
		t.Errorf("the versions are %+v, want the first one only", versions)
	}
	if id := s.app("chat").record().Version; id != hash(program(t, "v1"))[:idDigits] {
		t.Errorf("after a restart version %s would serve", id)
	}
}

func TestVersionThatDoesNotStart(t *testing.T) {
	s := newSite(t)
	list := s.try("chat", "stillborn")
	if last := list[len(list)-1]; last.Kind != api.Failed || last.Code != api.CodeUnhealthy || !strings.Contains(last.Reason, "the stillborn has nothing to say") {
		t.Errorf("as the first version: the last event is %+v", last)
	}
	if r := s.ask(s.token, "GET", api.AppPath("chat", ""), nil); r.status != http.StatusNotFound {
		t.Errorf("an app that never served is there: %s", r.body)
	}
	s.deploy("chat", "v1")
	c := s.dial("chat.apps.test", "/parties/tally/room")
	list = s.try("chat", "stillborn")
	if last := list[len(list)-1]; last.Kind != api.Failed {
		t.Errorf("as the second version: the last event is %+v", last)
	}
	c.talk("a", "1 v1 a")
}

// TestRestartThatFails deploys to an app that is down, which takes a restart.
func TestRestartThatFails(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Probation = time.Second })
	s.deploy("chat", "v1")
	a := s.app("chat")
	for _, test := range []struct{ version, reason string }{
		{"stillborn", "the stillborn has nothing to say"},
		{"crashing", "status 4"}, // not at once: on probation
	} {
		if err := a.await(t.Context(), a.run("")); err != nil {
			t.Fatal(err)
		}
		list := s.try("chat", test.version)
		if last := list[len(list)-1]; last.Kind != api.Failed || last.Code != api.CodeUnhealthy || !strings.Contains(last.Reason, test.reason) {
			t.Errorf("%s: the last event is %+v", test.version, last)
		}
		if back := find(t, list, api.RolledBack); back.Version != hash(program(t, "v1"))[:idDigits] {
			t.Errorf("%s: %+v, want v1", test.version, back)
		}
		s.says("chat.apps.test", "/parties/tally/x", "v1")
	}
	if err := a.await(t.Context(), a.run("")); err != nil {
		t.Fatal(err)
	}
	note := find(t, s.deploy("chat", "v2"), api.Remark)
	if !strings.Contains(note.Text, "the app is not running") {
		t.Errorf("the remark is %q", note.Text)
	}
	s.says("chat.apps.test", "/parties/tally/x", "v2")
}

func TestPlanAndRefusal(t *testing.T) {
	s := newSite(t)
	plan := func(version string, change ...func(*api.DeployRequest)) api.Plan {
		t.Helper()
		q := &api.DeployRequest{Binary: s.put("chat", version)}
		for _, c := range change {
			c(q)
		}
		var p api.Plan
		s.want(200, "POST", api.AppPath("chat", api.PlanPath), q, &p)
		return p
	}
	if p := plan("v1", func(q *api.DeployRequest) {
		q.Vars, q.Domains = map[string]string{"A": "1"}, []string{"chat.example.com"}
	}); !p.New || p.Refused != "" ||
		len(p.VarsSet) != 1 || len(p.Domains) != 1 || !strings.HasPrefix(p.URL, "http://chat.example.com") || len(p.PartiesAdded) != 2 {
		t.Errorf("the plan for a new app is %+v", p)
	}
	if r := s.ask(s.token, "GET", api.AppPath("chat", ""), nil); r.status != http.StatusNotFound {
		t.Errorf("a plan has made the app: %s", r.body)
	}
	s.deploy("chat", "v1")
	c := s.dial("chat.apps.test", "/parties/plain/room")
	c.talk("a", "1 v1 a")
	if p := plan("v1"); !p.Same || p.New || p.Restart != "" || p.Refused != "" {
		t.Errorf("the plan for the version that serves is %+v", p)
	}
	if p := plan("v2"); p.Serving == nil || p.Serving.Message != "this is v1" || p.Restart != "" || p.Refused != "" {
		t.Errorf("the plan for another version is %+v", p)
	}
	if p := plan("poor"); p.Refused == "" || len(p.PartiesRemoved) != 1 {
		t.Errorf("the plan for a version that would orphan rooms is %+v", p)
	}
	list := s.try("chat", "poor")
	if last := list[len(list)-1]; last.Code != api.CodeRefused {
		t.Errorf("a version that would orphan rooms: %+v", last)
	}
	if p := plan("deleting"); !p.Destructive || len(p.Migrations) != 1 || p.Migrations[0].Rooms["plain"] != 1 {
		t.Errorf("the plan for a version that deletes rooms is %+v", p)
	}
	list = s.try("chat", "deleting")
	if last := list[len(list)-1]; last.Code != api.CodeDestructive {
		t.Errorf("a version that deletes rooms: %+v", last)
	}
	c.talk("b", "2 v1 b")
	list = s.deploy("chat", "deleting", func(q *api.DeployRequest) { q.Destructive = true })
	id := find(t, list, api.BackedUp).Text
	if r := s.ask(s.token, "GET", api.BackupFilePath("chat", id), nil); r.status != 200 || !bytes.HasPrefix(r.body, []byte("SQLite format 3")) {
		t.Errorf("the backup before a destructive deploy: %d, %d bytes", r.status, len(r.body))
	}
	if r := s.visit("chat.apps.test", "/parties/plain/room"); r.status != http.StatusNotFound {
		t.Errorf("the deleted party answers %d %s", r.status, r.body)
	}
}

func TestDeployWithVarsAndDomains(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1", func(q *api.DeployRequest) {
		q.Vars, q.Domains = map[string]string{"COLOUR": "red \"and\" $blue\nand more"}, []string{"chat.example.com", "www.chat.example.com"}
	})
	s.says("chat.example.com", "/parties/tally/x?var=COLOUR", "red \"and\" $blue\nand more")
	s.says("WWW.chat.example.com.:80", "/parties/tally/x", "v1")
	// With other variables, the same version is another one: it is restarted.
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	c.ws.Close()
	list := s.deploy("chat", "v1", func(q *api.DeployRequest) { q.Vars = map[string]string{"COLOUR": "green"} })
	if note := find(t, list, api.Remark); !strings.Contains(note.Text, "1012") {
		t.Errorf("the remark is %q", note.Text)
	}
	s.says("chat.apps.test", "/parties/tally/x?var=COLOUR", "green")
	s.says("chat.apps.test", "/parties/tally/room?count", "1 <nil>")
	// A new version brings variables to the rooms without that.
	s.want(200, "PATCH", api.AppPath("chat", api.EnvPath), api.Env{Vars: map[string]string{"COLOUR": "blue"}}, nil)
	c = s.dial("chat.apps.test", "/parties/tally/room")
	s.deploy("chat", "v2")
	c.talk("b", "2 v2 b")
	s.says("chat.apps.test", "/parties/tally/x?var=COLOUR", "blue")
	// Nothing is done for what serves already.
	list = s.deploy("chat", "v2")
	if note := find(t, list, api.Remark); note.Text != "this is the version that serves" {
		t.Errorf("the remark is %q", note.Text)
	}
	c.talk("c", "3 v2 c")
	s.want(200, "PUT", api.AppPath("chat", api.DomainsPath), api.Domains{}, nil)
	if r := s.visit("chat.example.com", "/parties/tally/x"); r.status != http.StatusNotFound {
		t.Errorf("a domain that was given up answers %d", r.status)
	}
}

func TestBadDeploys(t *testing.T) {
	s := newSite(t, func(o *Options) { o.AdminHost = localhost })
	s.url = strings.Replace(s.url, "127.0.0.1", localhost, 1)
	s.deploy("other", "v1", func(q *api.DeployRequest) { q.Domains = []string{"other.example.com"} })
	good := s.put("chat", "v1")
	for what, test := range map[string]struct {
		q    api.DeployRequest
		code api.Code
	}{
		"no blob":               {api.DeployRequest{Binary: strings.Repeat("0", 64)}, api.CodeNoBlob},
		"no hash":               {api.DeployRequest{Binary: "../../tokens.json"}, api.CodeBadRequest},
		"long message":          {api.DeployRequest{Binary: good, Message: strings.Repeat("a", maxMessage+1)}, api.CodeBadRequest},
		"bad variable":          {api.DeployRequest{Binary: good, Vars: map[string]string{"A B": "hidden"}}, api.CodeBadRequest},
		"bad domain":            {api.DeployRequest{Binary: good, Domains: []string{"EXAMPLE.com"}}, api.CodeBadName},
		"another app's domain":  {api.DeployRequest{Binary: good, Domains: []string{"other.example.com"}}, api.CodeConflict},
		"another app's name":    {api.DeployRequest{Binary: good, Domains: []string{"other.apps.test"}}, api.CodeConflict},
		"too many domains":      {api.DeployRequest{Binary: good, Domains: make([]string, maxDomains+1)}, api.CodeBadRequest},
		"another app's program": {api.DeployRequest{Binary: hash(program(t, "unknown"))}, api.CodeNoBlob},
	} {
		s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), test.q).failure(t, what, test.code)
		s.ask(s.token, "POST", api.AppPath("chat", api.PlanPath), test.q).failure(t, what+", as a plan", test.code)
	}
	s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), "{").failure(t, "half a question", api.CodeBadRequest)
	s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), bytes.Repeat([]byte(" "), maxQuestion+1)).failure(t, "a long question", api.CodeTooLarge)

	text := []byte("#!/bin/sh\necho I am no server; exit 1\n")
	s.want(204, "PUT", api.BlobPath("chat", hash(text)), text, nil)
	list := s.events(s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), api.DeployRequest{Binary: hash(text)}))
	if last := list[len(list)-1]; last.Code != api.CodeBadBinary {
		t.Errorf("a script: %+v", last)
	}
	s.ask(s.token, "GET", api.AppPath("chat", ""), nil).failure(t, "after failed deploys", api.CodeNotFound)
}

func TestTwoDeploysAtOnce(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	a := s.app("chat")
	if err := a.take(); err != nil {
		t.Fatal(err)
	}
	s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), api.DeployRequest{Binary: s.put("chat", "v2")}).failure(t, "deploy", api.CodeConflict)
	s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), nil).failure(t, "rollback", api.CodeConflict)
	s.ask(s.token, "DELETE", api.AppPath("chat", ""), nil).failure(t, "delete", api.CodeConflict)
	s.ask(s.token, "PATCH", api.AppPath("chat", api.EnvPath), api.Env{}).failure(t, "env", api.CodeConflict)
	a.give()
	s.deploy("chat", "v2")
}

func TestNoWait(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Probation = time.Hour })
	s.deploy("chat", "v1")
	list := s.deploy("chat", "v2", func(q *api.DeployRequest) { q.NoWait = true })
	if n := len(list); list[n-2].Kind != api.HandedOver {
		t.Errorf("the stream ends with %+v", list[max(0, n-2):])
	}
	s.says("chat.apps.test", "/parties/tally/x", "v2")
	var versions []api.Version
	s.want(200, "GET", api.AppPath("chat", api.VersionsPath), nil, &versions)
	if versions[0].State != trialState {
		t.Errorf("the version is %q, want on probation", versions[0].State)
	}
	// What is on probation is dropped when the host restarts.
	s.end()
	s.start()
	s.await("the version before serves", func() bool { return string(s.visit("chat.apps.test", "/parties/tally/x").body) == "v1" })
}

func TestPreviewsAreApps(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	s.deploy(api.InstanceName("chat", "feature"), "v2")
	s.says("chat.apps.test", "/parties/tally/x", "v1")
	s.says("chat--feature.apps.test", "/parties/tally/x", "v2")
	var info api.AppInfo
	s.want(200, "GET", api.AppPath("chat", ""), nil, &info)
	if len(info.Previews) != 1 || info.Previews[0] != "chat--feature" || len(info.Parties) != 2 || info.State != api.Running || info.Disk == 0 || info.PID == 0 {
		t.Errorf("the app is %+v", info)
	}
	var list []api.App
	s.want(200, "GET", api.AppsPath, nil, &list)
	if len(list) != 2 || list[1].App != "chat" || list[1].Preview != "feature" {
		t.Errorf("the list is %+v", list)
	}
	var gone api.Deleted
	s.want(200, "DELETE", api.AppPath("chat", ""), nil, &gone)
	if len(gone.Previews) != 1 {
		t.Errorf("deleted: %+v", gone)
	}
	s.says("chat--feature.apps.test", "/parties/tally/x", "v2")
}

func TestDelete(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1", func(q *api.DeployRequest) { q.Vars = map[string]string{"A": "1"} })
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v1 a")
	c.ws.Close()
	p := s.app("chat").place
	var gone api.Deleted
	s.want(200, "DELETE", api.AppPath("chat", ""), nil, &gone)
	if info, err := os.Stat(gone.Backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the last backup: %v, %v", info, err)
	}
	for _, dir := range []string{p.dir, p.own, p.run} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
	if r := s.visit("chat.apps.test", "/parties/tally/x"); r.status != http.StatusNotFound {
		t.Errorf("a deleted app answers %d", r.status)
	}
	s.ask(s.token, "DELETE", api.AppPath("chat", ""), nil).failure(t, "delete again", api.CodeNotFound)
	// The same name is another app, without what was the old one's.
	s.deploy("chat", "v1")
	s.says("chat.apps.test", "/parties/tally/room?count", "0 <nil>")
	s.says("chat.apps.test", "/parties/tally/room?var=A", "")
	if again := s.app("chat").place; again.own == p.own {
		t.Error("the number of the deleted app is used again")
	}
	gone = api.Deleted{}
	s.want(200, "DELETE", api.AppPath("chat", "")+"?purge=true", nil, &gone)
	if left, err := os.ReadDir(s.host.layout.deleted()); err != nil || len(left) != 1 || gone.Backup != "" {
		t.Errorf("purged: %+v, and there are %v, %v", gone, left, err)
	}
}

func TestRestartOfTheHost(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1", func(q *api.DeployRequest) {
		q.Vars, q.Domains = map[string]string{"A": "kept"}, []string{"chat.example.com"}
	})
	s.deploy("chat", "v2")
	c := s.dial("chat.apps.test", "/parties/tally/room")
	c.talk("a", "1 v2 a")
	ended := make(chan error, 1)
	go func() { // who reads answers the end of the socket
		_, _, err := c.ws.ReadMessage()
		ended <- err
	}()
	s.end()
	err := <-ended
	if err == nil || !strings.Contains(err.Error(), "1012") {
		t.Errorf("the socket ends with %v, want 1012", err)
	}
	s.start()
	s.says("chat.example.com", "/parties/tally/room?count", "1 <nil>")
	s.says("chat.apps.test", "/parties/tally/room", "v2")
	s.says("chat.apps.test", "/parties/tally/room?var=A", "kept")
	var versions []api.Version
	s.want(200, "GET", api.AppPath("chat", api.VersionsPath), nil, &versions)
	if len(versions) != 2 || versions[1].State != backState {
		t.Errorf("after the restart the versions are %+v", versions)
	}
	list := s.events(s.ask(s.token, "POST", api.AppPath("chat", api.RollbackPath), nil))
	if list[len(list)-1].Kind != api.Done {
		t.Errorf("rollback after the restart: %+v", list)
	}
	s.says("chat.apps.test", "/parties/tally/room", "v1")
	if _, err := New(s.opts); err == nil || !strings.Contains(err.Error(), "another party host") {
		t.Errorf("a second host with the same folder: got error %v", err)
	}
}

func TestSettings(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	for what, q := range map[string]string{
		"memory": `{"memory": 1000}`, "open_files": `{"open_files": 1}`, "log_days": `{"log_days": 0}`, "backup_cron": `{"backup_cron": "every night"}`, "probation_s": `{"probation_s": -1}`,
	} {
		r := s.ask(s.token, "PATCH", api.AppPath("chat", ""), q)
		r.failure(t, q, api.CodeBadRequest)
		if !bytes.Contains(r.body, []byte(what)) {
			t.Errorf("%s: got %s, without its name", q, r.body)
		}
	}
	var got api.Settings
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"log_days": 3}`, nil)
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"paused": true}`, &got)
	if *got.LogDays != 3 || !*got.Paused || *got.OpenFiles != 65536 {
		text, _ := json.Marshal(got)
		t.Errorf("the settings are %s", text)
	}
	s.await("the app stops", func() bool { return s.visit("chat.apps.test", "/parties/tally/x").status == 503 })
	s.end()
	s.start()
	if r := s.visit("chat.apps.test", "/parties/tally/x"); r.status != 503 || r.header.Get("Retry-After") != "60" {
		t.Errorf("a paused app after a restart answers %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
	s.want(200, "PATCH", api.AppPath("chat", ""), `{"paused": false}`, nil)
	s.await("the app serves again", func() bool { return s.visit("chat.apps.test", "/parties/tally/x").status == 200 })
}

// app is the host's app.
func (s *site) app(name string) *app {
	s.t.Helper()
	a, err := s.host.app(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func TestNothingBeginsDuringShutdown(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	blob := s.put("chat", "v2")
	s.host.mu.Lock()
	s.host.closed = true
	s.host.mu.Unlock()
	s.ask(s.token, "POST", api.AppPath("chat", api.DeployPath), api.DeployRequest{Binary: blob}).failure(t, "deploy", api.CodeUnavailable)
	s.ask(s.token, "POST", api.AppPath("chat", api.RestartPath), nil).failure(t, "restart", api.CodeUnavailable)
	s.put("other", "v2")
	s.ask(s.token, "POST", api.AppPath("other", api.DeployPath), api.DeployRequest{Binary: blob}).failure(t, "deploy of another app", api.CodeUnavailable)
	if err := s.app("chat").take(); err != nil {
		t.Errorf("the app is still taken: %v", err)
	}
}

func TestLimitsOfAHost(t *testing.T) {
	s := newSite(t)
	s.deploy("chat", "v1")
	a := s.app("chat")
	if err := os.MkdirAll(a.place.backups(), 0o700); err != nil {
		t.Fatal(err)
	}
	day := mustTime(t, "2030-01-01T00:00:00Z")
	for n := range maxBackups {
		id := day.Add(time.Duration(n)*time.Second).Format(backupStamp) + "-" + backupAsked
		if err := os.WriteFile(a.place.backups()+"/"+id+backupEnd, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.ask(s.token, "POST", api.AppPath("chat", api.BackupsPath), nil).failure(t, "one backup more", api.CodeNoSpace)
	blob := s.put("other", "v1")
	s.host.mu.Lock()
	for n := range MaxApps - 1 {
		s.host.apps[fmt.Sprint("full-", n)] = a
	}
	s.host.mu.Unlock()
	s.ask(s.token, "POST", api.AppPath("other", api.DeployPath), api.DeployRequest{Binary: blob}).failure(t, "one app more", api.CodeNoSpace)
	s.host.mu.Lock()
	for n := range MaxApps - 1 {
		delete(s.host.apps, fmt.Sprint("full-", n))
	}
	s.host.mu.Unlock()
	if _, err := freeUser(58000, 3, 7, map[int]bool{58001: true}); err != nil {
		t.Errorf("a user that is free: %v", err)
	}
	if id, err := freeUser(58000, 3, 7, map[int]bool{58001: true, 58002: true}); err == nil {
		t.Errorf("all users are taken, and there is %d", id)
	}
}

func TestVersionsAreBounded(t *testing.T) {
	r := &record{Version: "v0"}
	for n := range 2 * maxVersions {
		r.ship(shipped{ID: fmt.Sprint("v", n)})
	}
	if n := len(r.Versions); n != maxVersions || r.Versions[0].ID != "v0" || r.Versions[n-1].ID != fmt.Sprint("v", 2*maxVersions-1) {
		t.Errorf("the versions are %+v, want the one that serves and the last %d", r.Versions, maxVersions-1)
	}
	before := r.clone()
	r.ship(shipped{ID: "bad"})
	r.unship("bad", before)
	r.unship("v0", before)
	if _, there := r.find("bad"); there || len(r.Versions) != maxVersions-1 {
		t.Errorf("after one that did not come off: %+v", r.Versions)
	}
}
