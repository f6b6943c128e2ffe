//go:build unix

package server_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrdersOnTheAdminAddress upgrades, rolls back and asks by --admin, and shows who may.
func TestOrdersOnTheAdminAddress(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "v3"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--admin", "127.0.0.1:0", "--probation", "10ms")
	root := "http://" + s.admin()
	written, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(written))
	order := func(method, target, body string, header ...string) answer {
		t.Helper()
		return fetch(t, method, root+target, body, append([]string{"Authorization", "Bearer " + token}, header...)...)
	}
	// last is the end of the answer to an order.
	last := func(a answer) (end struct {
		Done  bool
		Error string
	}) {
		t.Helper()
		lines := strings.Split(strings.TrimSpace(a.body), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &end); err != nil || a.status != 200 || !end.Done {
			t.Fatalf("got %d %s, %v", a.status, a.body, err)
		}
		return end
	}

	for _, c := range []struct {
		name, method, target string
		header               []string
		status               int
	}{
		{"no token", "GET", "/status", []string{"Authorization", ""}, 401},
		{"no token", "POST", "/upgrade", []string{"Authorization", ""}, 401},
		{"another token", "POST", "/rollback", []string{"Authorization", "Bearer " + token + "x"}, 401},
		{"the beginning of the token", "POST", "/rollback", []string{"Authorization", "Bearer " + token[:10]}, 401},
		{"another way", "POST", "/rollback", []string{"Authorization", "Basic " + token}, 401},
		{"in the URL", "POST", "/rollback?token=" + token, []string{"Authorization", ""}, 401},
		{"a page", "POST", "/rollback", []string{"Origin", root}, 403},
		{"a browser", "GET", "/status", []string{"Sec-Fetch-Site", "none"}, 403},
		{"another method", "GET", "/upgrade", nil, 404},
		{"no program", "POST", "/upgrade", nil, 400},
		{"a file elsewhere", "POST", "/upgrade?binary=../v2", nil, 400},
		{"an absolute path", "POST", "/upgrade?binary=" + s.file("v2"), nil, 400},
		{"a folder", "POST", "/upgrade?binary=versions", nil, 400},
		{"by a link", "POST", "/upgrade?binary=link", nil, 400},
	} {
		if c.name == "by a link" {
			if err := os.Symlink(s.file("v2"), filepath.Join(s.data, "link")); err != nil {
				t.Fatal(err)
			}
		}
		if got := order(c.method, c.target, "", c.header...); got.status != c.status || strings.Contains(got.body, token) {
			t.Errorf("%s: %s %s: got %d %s, want %d", c.name, c.method, c.target, got.status, got.body, c.status)
		}
	}
	s.serves("v1")
	if end := last(order("POST", "/upgrade", "#!/bin/sh\nexit 0\n")); !strings.Contains(end.Error, "was it made by party build?") {
		t.Errorf("no version: got %+v", end)
	}

	v2, err := os.ReadFile(s.file("v2"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", root+"/upgrade", bytes.NewReader(v2))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if end := last(send(t, http.DefaultTransport, req)); end.Error != "" {
		t.Errorf("upgrade: %s", end.Error)
	}
	s.serves("v2")
	if end := last(order("POST", "/rollback", "")); end.Error != "" {
		t.Errorf("rollback: %s", end.Error)
	}
	s.serves("v1")
	install(t, filepath.Join(s.data, "incoming"), "v3")
	got := order("POST", "/upgrade?binary=incoming", "")
	if end := last(got); end.Error != "" || !strings.Contains(got.body, `"kind":"proven"`) {
		t.Errorf("upgrade to a file: %s", got.body)
	}
	s.serves("v3")
	var st struct {
		Host    int
		Serving string
	}
	if got := order("GET", "/status", ""); json.Unmarshal([]byte(got.body), &st) != nil || st.Serving != s.id("v3") || st.Host != s.host() {
		t.Errorf("status: got %s", got.body)
	}
	if got := visit(t, root+"/readyz"); got.status != 200 {
		t.Errorf("what needs no token: got %d", got.status)
	}
	if left, err := filepath.Glob(filepath.Join(s.data, "versions", "tmp-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s.stop()
}
