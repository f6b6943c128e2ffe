//go:build unix

package devserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// command makes a Go file and browser code from a word, and fails without it. It counts its runs.
const command = `
set -e
test -f words/word.txt || { echo "there is no word" >&2; exit 3; }
word=$(cat words/word.txt)
echo run >> ../runs.txt
printf 'package main\n\nfunc init() { word = "%s" }\n' "$word" > ../word.go
mkdir -p ../client
echo "console.log('$word')" > ../client/main.js
echo "made of $word"
`

// TestBuildCommandAndDefine has a command make what is built and bundled, and the linker fix a string: all of it
// as party build does.
func TestBuildCommandAndDefine(t *testing.T) {
	p := newProject(t)
	p.edit("server.go", `const greeting = "hello"`, `var greeting, word = "hello", ""`)
	p.edit("server.go", `greeting+" "+`, `greeting+" "+word+" "+`)
	p.write("tools/make.sh", command)
	p.write("tools/words/word.txt", "one")
	define := "it's a greeting"
	manifest := func() {
		quoted, err := json.Marshal(define)
		if err != nil {
			t.Fatal(err)
		}
		p.write("party.json", `{
			"serve": {"path": "public", "build": "client/main.js"}, "vars": {"WHO": "world"},
			"define": {"main.greeting": `+string(quoted)+`},
			"build": {"command": "sh make.sh", "cwd": "tools", "watch": ["tools/words"]}
		}`)
	}
	manifest()
	p.run(p.options())
	answers := func(want string) {
		t.Helper()
		p.until(want, func() bool { _, body := p.get("/parties/echo/a", nil); return body == want })
	}
	bundled := func(want string) {
		t.Helper()
		p.until("the bundle of "+want, func() bool { _, body := p.get("/dist/main.js", nil); return strings.Contains(body, want) })
	}
	p.waitReload()
	answers("it's a greeting one world")
	bundled(`"one"`)
	p.waitOutput("made of one")

	// What is watched runs it again, and what it makes is built and bundled.
	p.write("tools/words/word.txt", "two")
	answers("it's a greeting two world")
	bundled(`"two"`)

	// Another change does not. The string is fixed by a build without the go command too.
	runs := p.read("runs.txt")
	define = "goodbye"
	manifest()
	answers("goodbye two world")
	p.edit("server.go", `word+" "`, `word+"! "`)
	answers("goodbye two! world")
	if again := p.read("runs.txt"); again != runs {
		t.Errorf("the command has run for a change that it does not watch: %q, then %q", runs, again)
	}

	// When it fails, that is shown like any mistake, and the old code goes on.
	p.remove("tools/words/word.txt")
	p.waitOutput("party.json:4:25: error: the build command failed: exit status 3 [build-command]")
	p.waitOutput("there is no word")
	p.until("the problem", func() bool {
		s := p.status()
		return s.Phase == "failed" && s.Serving && len(s.Problems) == 2 && s.Problems[1].Message == "there is no word"
	})
	answers("goodbye two! world")
	p.write("tools/words/word.txt", "three")
	answers("goodbye three! world")
	if s := p.status(); len(s.Problems) != 0 {
		t.Errorf("problems after the fix: %+v", s.Problems)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}

// TestAdmin asks a dev server what a built binary is asked.
func TestAdmin(t *testing.T) {
	p := newProject(t)
	o := p.options()
	o.Admin = ":0"
	var url string
	o.AdminListening = func(at string) { url = at }
	p.run(o)
	p.waitReload()
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("it listens on %q, want loopback", url)
	}
	p.get("/parties/echo/a", nil)
	public := p.url
	p.url = url
	if code, body := p.get("/healthz", nil); code != 200 || body != "ok\n" {
		t.Errorf("/healthz: %d %q", code, body)
	}
	p.until("/readyz", func() bool { code, body := p.get("/readyz", nil); return code == 200 && body == "ready\n" })
	code, body := p.get("/metrics", nil)
	for _, want := range []string{`party_rooms{party="echo",state="live"} 1`, "party_request_seconds_count", "go_goroutines "} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("/metrics: %d, without %s", code, want)
		}
	}
	if code, _ := p.get("/metrics", http.Header{"Origin": {"https://example.com"}}); code != http.StatusForbidden {
		t.Errorf("/metrics for a page of another site: %d, want 403", code)
	}
	p.url = public
	if _, body := p.get("/metrics", nil); strings.Contains(body, "party_rooms") {
		t.Error("the public address shows metrics")
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	o = p.options()
	o.Admin = "9090"
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "127.0.0.1:9090") {
		t.Errorf("--admin 9090: got error %v, want one that shows an address", err)
	}
}
