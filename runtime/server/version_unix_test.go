//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// versionEnv makes this program one that is upgraded. Which version it is stands at the end of its file.
const versionEnv = "PARTY_SERVER_TEST_VERSION"

const versionMark = "\nthis is version "

// versionOf reads which version a binary is.
func versionOf(binary string) string {
	data, err := os.ReadFile(binary)
	if err != nil {
		panic(err)
	}
	_, name, _ := bytes.Cut(data[max(0, len(data)-100):], []byte(versionMark))
	return string(name)
}

var (
	thisVersion string
	fallsAfter  atomic.Int64 // messages; for the version that crashes
)

// tally counts messages, in its storage, keeps the last one of each client, and tells everybody of each.
type tally struct{ party.Room }

func (t *tally) take(ctx context.Context, who, what string) error {
	var n int
	if _, err := t.Storage().Get(ctx, "n", &n); err != nil {
		return err
	}
	n++
	if err := errors.Join(t.Storage().Put(ctx, "n", n), t.Storage().Put(ctx, "of "+who, what)); err != nil {
		return err
	}
	if err := t.Broadcast(party.Text(fmt.Sprintf("%d %s %s", n, who, what))); err != nil {
		return err
	}
	if thisVersion == "crashing" && fallsAfter.Add(-1) == 0 {
		os.Exit(4) // in the middle of a turn
	}
	return nil
}

func (t *tally) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return t.take(ctx, conn.ID(), msg.Text())
}

// OnRequest takes POST ?who=&what=, and answers with the version; with ?stored, with what is stored.
func (t *tally) OnRequest(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("stored") {
		all, err := t.Storage().List(r.Context(), party.ListOptions{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for _, e := range all {
			var v any
			if err := e.Decode(&v); err != nil {
				v = err
			}
			fmt.Fprintln(w, e.Key, v)
		}
		return
	}
	if r.Method == http.MethodPost {
		if err := t.take(r.Context(), r.URL.Query().Get("who"), r.URL.Query().Get("what")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	io.WriteString(w, thisVersion)
}

// showCaller answers with who calls, and what for.
func showCaller(w http.ResponseWriter, r *http.Request, _ *party.Lobby) {
	slog.Info("asked", "by", r.RemoteAddr)
	fmt.Fprint(w, r.RemoteAddr, " ", r.Host)
}

// migrating gives a room type a data migration that fails for some rooms, when it has already written.
func migrating(d *party.Definition, fails func(room string) bool) {
	plain := d.New
	d.New = func() party.Instance {
		i := plain()
		i.Migrate = []party.DataMigration{{Version: 2, Func: func(ctx context.Context) error {
			if err := i.Room.Storage().Put(ctx, "n", -1000); err != nil || fails(i.Room.Name()) {
				return errors.Join(err, errors.New("this data is strange"))
			}
			_, err := i.Room.Storage().Delete(ctx, "n")
			return err
		}}}
		return i
	}
}

func serveVersion() {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	thisVersion = versionOf(path)
	fallsAfter.Store(20)
	if thisVersion == "stillborn" && os.Getenv(server.HostFD) != "" {
		fmt.Fprintln(os.Stderr, "the stillborn has nothing to say")
		os.Exit(3)
	}
	app := &party.App{Rooms: []party.Definition{party.Define[tally]("tally", party.AsHibernating()), party.Define[tally]("plain")}, Fetch: showCaller}
	switch thisVersion {
	case "poor":
		app.Rooms = app.Rooms[:1]
	case "unable": // to migrate
		for n := range app.Rooms {
			migrating(&app.Rooms[n], func(string) bool { return true })
		}
	case "picky":
		for n := range app.Rooms {
			migrating(&app.Rooms[n], func(room string) bool { return room == "poisoned" })
		}
	case "adding":
		app.Rooms = append(app.Rooms, party.Define[tally]("extra"))
		app.Migrations = []party.Migration{{Tag: "m1", New: []string{"extra"}}}
	case "renaming":
		app.Rooms[1].Name = "fancy"
		app.Migrations = []party.Migration{{Tag: "m1", Renamed: []party.Rename{{From: "plain", To: "fancy"}}}}
	}
	server.Main(app)
}

// install writes a version of this program to a file.
func install(t *testing.T, path, version string) string {
	t.Helper()
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	// Not in place: it may be running.
	err = os.WriteFile(path+".new", append(data, versionMark+version...), 0o700)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// site is a folder with versions of a program, of which one runs.
type site struct {
	t         *testing.T
	dir, data string
	cmd       *exec.Cmd
	url       string
	gone      chan struct{}
	mu        sync.Mutex
	log       bytes.Buffer // guarded by mu, as what follows
	adminURL  string
}

func newSite(t *testing.T) *site {
	// A path that is short enough for a socket.
	dir, err := os.MkdirTemp("", "site")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, data: filepath.Join(dir, "data")}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.cmd.Process.Kill()
			<-s.gone
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", s.output())
		}
		os.RemoveAll(dir)
	})
	return s
}

func (s *site) file(version string) string { return filepath.Join(s.dir, version) }

func (s *site) command(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), versionEnv+"=1", "GORACE=atexit_sleep_ms=0") // the race detector lets processes linger
	cmd.Dir = s.dir
	return cmd
}

// start starts a version of the server, and waits until it listens.
func (s *site) start(binary string, args ...string) {
	s.t.Helper()
	listening := s.begin(s.command(binary, append([]string{"serve", "--upgradable", "--addr", "127.0.0.1:0", "--data", "data"}, args...)...))
	select {
	case url, ok := <-listening:
		if !ok {
			s.t.Fatal("the server has ended")
		}
		s.url = url
	case <-time.After(3 * patience):
		s.t.Fatal("the server does not listen")
	}
}

// begin starts a server. Its address comes over the channel, which is closed when it has ended.
func (s *site) begin(cmd *exec.Cmd) <-chan string {
	s.t.Helper()
	s.cmd = cmd
	s.cmd.Stderr = s
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.gone = make(chan struct{})
	listening := make(chan string, 1)
	go func() {
		defer close(s.gone)
		defer s.cmd.Wait() // how it has ended is seen elsewhere
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := listenLine.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case listening <- m[1]:
				default: // once more, after a restart
				}
			} else if m := adminLine.FindStringSubmatch(lines.Text()); m != nil {
				s.mu.Lock()
				s.adminURL = m[1]
				s.mu.Unlock()
			}
		}
		close(listening)
	}()
	return listening
}

// stop ends the server in good order.
func (s *site) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	within(s.t, s.gone, "the server to end")
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("the server exited with %d", code)
	}
	s.cmd = nil
}

func (s *site) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Write takes what the server logs.
func (s *site) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *site) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// admin is the server's --admin address, host:port.
func (s *site) admin() string {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		url := s.adminURL
		s.mu.Unlock()
		if url != "" {
			return strings.TrimPrefix(url, "http://")
		}
		if time.Now().After(deadline) {
			s.t.Fatal("the server has no --admin address")
		}
	}
}

// order runs a command of the program and returns what it printed and its exit code.
func (s *site) order(args ...string) (string, int) {
	s.t.Helper()
	cmd := s.command(s.file("v1"), args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	s.t.Logf("%v: exit code %d\n%s", args, cmd.ProcessState.ExitCode(), out)
	return string(out), cmd.ProcessState.ExitCode()
}

// want is order with what must come of it.
func (s *site) want(code int, text string, args ...string) {
	s.t.Helper()
	if out, got := s.order(args...); got != code || !strings.Contains(out, text) {
		s.t.Errorf("%v: got exit code %d and %q, want %d and %q in it", args, got, out, code, text)
	}
}

// serves checks which version answers.
func (s *site) serves(version string) {
	s.t.Helper()
	for _, p := range []string{"tally", "plain"} {
		if got := visit(s.t, s.url+"/parties/"+p+"/whoever"); got.status != 200 || got.body != version {
			s.t.Errorf("%s: got %d from %q, want version %q", p, got.status, got.body, version)
		}
	}
}
