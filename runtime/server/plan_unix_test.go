//go:build unix

package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/goparty-dev/party/internal/operate"
)

func TestPlan(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	plan := func(version string) operate.Plan {
		t.Helper()
		cmd := s.command(install(t, s.file(version), version), "plan", "--data", "data", "--json")
		out, err := cmd.Output()
		var p operate.Plan
		if err == nil {
			err = json.Unmarshal(out, &p)
		}
		if err != nil {
			t.Fatalf("plan of %s: %v\n%s", version, err, out)
		}
		return p
	}
	if p := plan("v1"); p.ID == "" || p.Top != nil || p.Refused != "" || len(p.Rooms) != 0 || len(p.Parties) != 2 {
		t.Errorf("the plan for no folder is %+v", p)
	}
	s.start(s.file("v1"))
	for _, p := range []string{"tally", "plain"} {
		fetch(t, "POST", s.url+"/parties/"+p+"/room?who=me&what=1", "").check(t, 200, "v1")
	}
	own := plan("v1")
	if own.Top == nil || own.Top.ID != own.ID || own.Refused != "" || own.Rooms["plain"] != 1 {
		t.Errorf("the plan for the version that serves is %+v", own)
	}
	if p := plan("v2"); p.Top == nil || p.Top.ID != own.ID || p.ID == own.ID || p.Restart != "" || p.Refused != "" || len(p.Migrations) != 0 {
		t.Errorf("the plan for a version that changes nothing is %+v", p)
	}
	if p := plan("adding"); len(p.Migrations) != 1 || p.Migrations[0].New[0] != "extra" || len(p.Parties) != 3 || len(p.Was) != 2 {
		t.Errorf("the plan for a version with a new party is %+v", p)
	}
	if p := plan("renaming"); len(p.Migrations) != 1 || p.Migrations[0].Renamed[0].From != "plain" || p.Refused != "" {
		t.Errorf("the plan for a version that renames is %+v", p)
	}
	out, err := s.command(s.file("renaming"), "plan", "--data", "data").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "migration m1: plain becomes fancy, with 1 rooms") {
		t.Errorf("the plan for a version that renames, in words: %v, %s", err, out)
	}
	if p := plan("poor"); p.Refused == "" {
		t.Errorf("the plan for a version without a party that has data is %+v", p)
	}
	s.stop()
}
