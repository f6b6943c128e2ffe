//go:build unix

package devserver

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goparty-dev/party/internal/diag"
)

func TestReloadKeepsSockets(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	first := p.waitReload()
	conn := p.dial("a")
	p.say(conn, "one")
	p.hear(conn, "hello one 1")

	p.edit("server.go", `"hello"`, `"bye"`)
	re := p.waitReload()
	p.say(conn, "two")
	p.hear(conn, "bye two 2")
	if re.Build != first.Build+1 || re.Rooms != 1 || re.Sockets != 1 || re.Restart || re.Total < re.Go+re.Start {
		t.Errorf("reload %+v after %+v", re, first)
	}
	p.waitOutput(", 1 room, 1 socket kept")
	if s := p.status(); s.Phase != "ready" || !s.Serving || len(s.Problems) != 0 || s.Reload == nil || s.Reload.Build != re.Build {
		t.Errorf("status %+v", s)
	}
	// What is written while nothing has changed is the same content again.
	p.edit("server.go", `"bye"`, `"bye"`)
	p.edit("party.json", `world`, `moon`)
	p.waitReload()
	if _, body := p.get("/parties/echo/a", nil); body != "bye moon" {
		t.Errorf("after a change of vars: %q", body)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(p.dir, ".party", "build")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestABuildErrorChangesNothingUntilItIsFixed(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	p.waitReload()
	conn := p.dial("a")
	p.edit("server.go", "n++", "m++")
	p.waitOutput("build failed")
	p.say(conn, "one")
	p.hear(conn, "hello one 1")
	s := p.status()
	if s.Phase != "failed" || !s.Serving || len(s.Problems) == 0 {
		t.Fatalf("status %+v", s)
	}
	if pr := s.Problems[0]; !strings.HasSuffix(pr.Place, place("n++")+":2") || !strings.Contains(pr.Detail, "m++\n") || !strings.Contains(pr.Detail, "^") {
		t.Errorf("problem %+v", pr)
	}
	for _, want := range []string{place("n++") + ":2: error: ", "goes on serving"} {
		p.waitOutput(want)
	}

	p.edit("server.go", "m++\n", "n += 2\n")
	p.waitReload()
	p.say(conn, "two")
	p.hear(conn, "hello two 3")
	if s := p.status(); s.Phase != "ready" || len(s.Problems) != 0 {
		t.Errorf("status after the fix %+v", s)
	}
}

func TestACrashKeepsSocketsAndTellsWhy(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	p.waitReload()
	conn := p.dial("a")
	p.say(conn, "panic")
	p.waitOutput("your program crashed: it exited with status 2")
	p.say(conn, "one")
	p.hear(conn, "hello one 1")
	if re := p.waitReload(); !re.Restart {
		t.Errorf("reload %+v, want a restart", re)
	}
	p.waitOutput(place("func explode") + ": error: panic: boom")
	if s := p.status(); len(s.Problems) != 1 || s.Problems[0].Title != "Your program crashed" || !strings.HasSuffix(s.Problems[0].Place, place("func explode")) {
		t.Errorf("status %+v", s)
	}

	// A message that ends the program ends it twice, and is given up.
	p.say(conn, "exit")
	p.waitOutput("your program ended: it exited with status 7")
	p.waitOutput("starting it again in 250 ms")
	conn = p.dial("a")
	p.say(conn, "two")
	p.hear(conn, "hello two 2")

	// A kill from outside.
	hosts := p.hosts()
	if len(hosts) != 1 {
		t.Fatalf("hosts %v, want one", hosts)
	}
	if err := syscall.Kill(hosts[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.waitOutput("it was killed by signal 9")
	p.say(conn, "three")
	p.hear(conn, "hello three 3")
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if hosts := p.hosts(); len(hosts) != 0 {
		t.Errorf("hosts %v are left", hosts)
	}
}

func TestTheFirstBuildFails(t *testing.T) {
	p := newProject(t)
	p.write("server.go", strings.Replace(program, "n++", "m++", 1))
	p.run(p.options())
	p.waitOutput("waiting for a change")
	code, body := p.get("/", http.Header{"Accept": {"text/html"}})
	if code != http.StatusServiceUnavailable || !strings.Contains(body, "undefined: m") || !strings.Contains(body, "/_party/overlay.js") {
		t.Errorf("page: %d\n%s", code, body)
	}
	code, body = p.get("/parties/echo/a", nil)
	if code != http.StatusServiceUnavailable || !strings.Contains(body, place("n++")+":2") || strings.Contains(body, "<") {
		t.Errorf("request: %d\n%s", code, body)
	}
	p.write("server.go", program)
	p.waitReload()
	if code, body = p.get("/", nil); code != http.StatusOK || !strings.Contains(body, "<p>page</p><script src=\"/_party/overlay.js\" defer></script>") {
		t.Errorf("page after the fix: %d\n%s", code, body)
	}
}

func TestRequestsWaitForTheFirstBuild(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	if code, body := p.get("/parties/echo/a", nil); code != http.StatusOK || body != "hello world" {
		t.Errorf("got %d %q", code, body)
	}
}

func TestAssetsReloadPagesAndNothingElse(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	p.waitReload()
	before := p.status()
	p.edit("public/index.html", "page", "new page")
	p.until("pages to be reloaded", func() bool { return p.status().Assets != before.Assets })
	if after := p.status(); after.Build != before.Build {
		t.Errorf("build %d, want none after %d", after.Build, before.Build)
	}
	if _, body := p.get("/", nil); !strings.Contains(body, "new page") {
		t.Errorf("page: %s", body)
	}
}

func TestABadManifestIsShownAndTheOldOneKept(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	p.waitReload()
	p.edit("party.json", `"vars"`, `"varz"`)
	p.waitOutput("party.json:1:21: error: ")
	if _, body := p.get("/parties/echo/a", nil); body != "hello world" {
		t.Errorf("got %q", body)
	}
	p.edit("party.json", `"varz"`, `"vars"`)
	p.waitReload()
}

func TestStateSurvivesAndIsHeldByOneServer(t *testing.T) {
	p := newProject(t)
	p.run(p.options())
	p.waitReload()
	conn := p.dial("a")
	p.say(conn, "one")
	p.hear(conn, "hello one 1")

	err := Run(t.Context(), p.options())
	if err == nil || !strings.Contains(err.Error(), "held by another process") || !strings.Contains(err.Error(), "--persist") {
		t.Errorf("a second server: %v", err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}

	p.run(p.options())
	p.waitReload()
	conn = p.dial("a")
	p.say(conn, "two")
	p.hear(conn, "hello two 2")
}

func TestWhatKeepsItFromBeginning(t *testing.T) {
	p := newProject(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	u, err := url.Parse("http://" + taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o := p.options()
	if o.Port, err = strconv.Atoi(u.Port()); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "port "+u.Port()+" is taken") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a taken port: %v", err)
	}

	o = p.options()
	o.Persist = filepath.Join(p.dir, "server.go", "state")
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "state folder") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a folder that cannot be: %v", err)
	}

	p.write("party.json", `{"prot": 1}`)
	err = Run(t.Context(), p.options())
	if list, ok := err.(diag.List); !ok || len(list) != 1 || list[0].Pos.Line != 1 {
		t.Errorf("a bad manifest: %v", err)
	}
}
