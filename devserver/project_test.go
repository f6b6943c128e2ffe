package devserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// program is a host with one room: it answers every message with a greeting, the
// message, and how many it has stored; some messages make it end.
const program = `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

const greeting = "hello"

type Echo struct{ party.Room }

func (e *Echo) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	switch msg.Text() {
	case "panic":
		// After the turn, so that the message is not delivered again.
		time.AfterFunc(20*time.Millisecond, explode)
		return nil
	case "exit":
		os.Exit(7)
	}
	var n int
	if _, err := e.Storage().Get(ctx, "n", &n); err != nil {
		return err
	}
	n++
	if err := e.Storage().Put(ctx, "n", n); err != nil {
		return err
	}
	return conn.Send(party.Text(fmt.Sprintf("%s %s %d", greeting, msg.Text(), n)))
}

func (e *Echo) OnRequest(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, greeting+" "+e.Env().Get("WHO"))
}

func explode() { panic("boom") }

func main() {
	server.Main(&party.App{Rooms: []party.Definition{party.Define[Echo]("echo", party.AsMain(), party.AsHibernating())}})
}
`

// waitTime is enough for a build from a cold cache.
const waitTime = time.Minute

const page = "<!doctype html><title>test</title><body><p>page</p></body>\n"

// place is where a text stands in program, as file:line.
func place(text string) string {
	before, _, _ := strings.Cut(program, text)
	return fmt.Sprintf("server.go:%d", strings.Count(before, "\n")+1)
}

// project is a temporary project with a dev server.
type project struct {
	t       testing.TB
	dir     string
	url     string
	out     *output
	reloads chan Reload
	stop    func() error // ends the dev server and returns what Run did
}

// output is what the dev server prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkout is the folder of this module.
func checkout() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// newProject writes a project and starts no server.
func newProject(t testing.TB) *project {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, out: new(output), reloads: make(chan Reload, 100)}
	p.write("go.mod", fmt.Sprintf("module example.com/echo\n\ngo 1.26.0\n\nrequire github.com/goparty-dev/party v0.0.0\n\nreplace github.com/goparty-dev/party => %s\n", checkout()))
	p.write("server.go", program)
	p.write("party.json", `{"serve": "public", "vars": {"WHO": "world"}}`)
	p.write("public/index.html", page)
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	write(p.t, filepath.Join(p.dir, filepath.FromSlash(name)), text)
}

func (p *project) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *project) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

// edit replaces text in a file, as an editor does: by a rename.
func (p *project) edit(name, old, new string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		p.t.Fatalf("%s does not contain %q", name, old)
	}
	write(p.t, path+"~", strings.ReplaceAll(string(data), old, new))
	if err := os.Rename(path+"~", path); err != nil {
		p.t.Fatal(err)
	}
}

// options are those of a server that any test can use.
func (p *project) options() Options {
	return Options{
		Dir: p.dir, Manifest: filepath.Join(p.dir, "party.json"), PortExplicit: true, Stdout: p.out,
		Reloaded: func(r Reload) { p.reloads <- r },
	}
}

// run starts the server and waits until it listens.
func (p *project) run(o Options) {
	p.t.Helper()
	listening := make(chan string, 1)
	o.Listening = func(url string) { listening <- url }
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	var once sync.Once
	var result error
	p.stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-ended:
			case <-time.After(60 * time.Second):
				result = fmt.Errorf("the dev server does not stop")
			}
		})
		return result
	}
	p.t.Cleanup(func() {
		if err := p.stop(); err != nil {
			p.t.Errorf("run: %v", err)
		}
		if p.t.Failed() {
			p.t.Logf("the dev server printed:\n%s", p.out)
		}
	})
	select {
	case p.url = <-listening:
	case err := <-ended:
		ended <- err
		p.t.Fatalf("run: %v", err)
	}
}

func (p *project) waitReload() Reload {
	p.t.Helper()
	select {
	case r := <-p.reloads:
		return r
	case <-time.After(waitTime):
		p.t.Fatalf("no new code; printed:\n%s", p.out)
		return Reload{}
	}
}

// waitOutput waits until something has been printed.
func (p *project) waitOutput(text string) {
	p.t.Helper()
	p.until("the words "+text, func() bool { return strings.Contains(p.out.String(), text) })
}

func (p *project) until(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.After(waitTime)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatalf("waited in vain for %s; printed:\n%s", what, p.out)
		}
	}
}

func (p *project) status() Status {
	p.t.Helper()
	code, body := p.get("/_party/status", nil)
	var s Status
	if err := json.Unmarshal([]byte(body), &s); code != http.StatusOK || err != nil {
		p.t.Fatalf("status: %d, %v: %s", code, err, body)
	}
	return s
}

func (p *project) get(path string, header http.Header) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// dial opens a socket to a room.
func (p *project) dial(room string) *websocket.Conn {
	p.t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(p.t.Context(), "ws"+strings.TrimPrefix(p.url, "http")+"/parties/echo/"+room, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	return conn
}

func (p *project) say(conn *websocket.Conn, text string) {
	p.t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatalf("send %q: %v", text, err)
	}
}

func (p *project) hear(conn *websocket.Conn, want string) {
	p.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	_, got, err := conn.ReadMessage()
	if err != nil || string(got) != want {
		p.t.Fatalf("heard %q (%v), want %q; printed:\n%s", got, err, want, p.out)
	}
}

// hosts are the processes that run a binary of this project.
func (p *project) hosts() []int {
	p.t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		p.t.Fatal(err)
	}
	var pids []int
	for _, l := range links {
		exe, err := os.Readlink(l)
		if err != nil || !strings.HasPrefix(exe, p.dir+"/.party/") {
			continue // gone, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(l)))
		if err != nil {
			p.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
