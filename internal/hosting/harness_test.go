//go:build unix

package hosting

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/hosting/api"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// patience bounds every wait: the machine may be busy.
const patience = 90 * time.Second

// mark stands at the end of this program's file when it is an app, before the name of its version.
const mark = "\nthis is app version "

func TestMain(m *testing.M) {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if version := versionOf(path); version != "" {
		serveVersion(version)
	}
	os.Exit(m.Run())
}

func versionOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	end := make([]byte, 100)
	if _, err := file.ReadAt(end, info.Size()-int64(len(end))); err != nil {
		panic(err)
	}
	_, version, _ := strings.Cut(string(end), mark)
	return version
}

// tally counts messages and tells everybody of each.
type tally struct{ party.Room }

var version string

func (t *tally) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() == "crash" {
		os.Exit(7)
	}
	var n int
	if _, err := t.Storage().Get(ctx, "n", &n); err != nil {
		return err
	}
	n++
	if err := t.Storage().Put(ctx, "n", n); err != nil {
		return err
	}
	return t.Broadcast(party.Text(fmt.Sprintf("%d %s %s", n, version, msg.Text())))
}

// OnRequest says who answers, and what a few questions want to know.
func (t *tally) OnRequest(w http.ResponseWriter, r *http.Request) {
	switch q := r.URL.Query(); {
	case q.Has("var"):
		fmt.Fprint(w, t.Env().Get(q.Get("var")))
	case q.Has("uid"):
		fmt.Fprint(w, os.Getuid())
	case q.Has("read"):
		_, err := os.ReadFile(q.Get("read"))
		fmt.Fprint(w, errors.Is(err, os.ErrPermission), " ", err)
	case q.Has("say"):
		slog.Info(q.Get("say"), "room", t.Name())
	case q.Has("eat"):
		var all [][]byte
		for range 1 << 10 {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
		}
		fmt.Fprint(w, len(all))
	case q.Has("count"):
		n, _, err := party.Get[int](r.Context(), t.Storage(), "n")
		fmt.Fprint(w, n, " ", err)
	case q.Has("headers"):
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-Ip"} {
			fmt.Fprintf(w, "%s=%s ", name, r.Header.Get(name))
		}
		fmt.Fprint(w, "Host="+r.Host)
	case r.Method == http.MethodPost:
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, " ", err)
	default:
		fmt.Fprint(w, version)
	}
}

func serveVersion(v string) {
	version = v
	app := &party.App{Rooms: []party.Definition{party.Define[tally]("tally", party.AsHibernating()), party.Define[tally]("plain")}}
	switch {
	case v == "stillborn" && len(os.Args) > 1 && os.Args[1] == "serve", v == "stillborn" && os.Getenv(server.HostFD) != "":
		fmt.Fprintln(os.Stderr, "the stillborn has nothing to say")
		os.Exit(3)
	case v == "crashing" && os.Getenv(server.HostFD) != "":
		time.AfterFunc(200*time.Millisecond, func() { os.Exit(4) })
	case v == "deleting":
		app.Rooms = app.Rooms[:1]
		app.Migrations = []party.Migration{{Tag: "m1", Deleted: []string{"plain"}}}
	case v == "poor":
		app.Rooms = app.Rooms[:1]
	}
	server.Main(app)
}

var programs sync.Map

// program is a version of the app.
func program(t *testing.T, version string) []byte {
	t.Helper()
	if p, ok := programs.Load(version); ok {
		return p.([]byte)
	}
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, mark+version...)
	programs.Store(version, data)
	return data
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// site is a host under test.
type site struct {
	t     *testing.T
	opts  Options
	host  *Host
	url   string
	plain string
	token string // of all rights
	stop  context.CancelFunc
	ended chan error
	log   *buffer
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(data)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// newSite makes a host that listens on loopback. Its folders are short enough for sockets, and others may enter them.
func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "ph")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, log: new(buffer)}
	s.opts = Options{
		Data: filepath.Join(dir, "d"), Run: filepath.Join(dir, "r"), Addr: "127.0.0.1:0", Domain: "apps.test",
		Probation: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, c := range change {
		c(&s.opts)
	}
	t.Cleanup(func() {
		s.end()
		if t.Failed() {
			t.Logf("the host said:\n%s", s.log)
			logs, _ := filepath.Glob(filepath.Join(s.opts.Data, "apps", "*", "logs", "*"))
			for _, path := range logs {
				text, _ := os.ReadFile(path)
				t.Logf("%s:\n%s", path, text)
			}
		}
		os.RemoveAll(dir)
	})
	s.start()
	made, err := s.host.Tokens().Make(api.NewToken{Name: "all", Rights: []api.Right{api.Admin}})
	if err != nil {
		t.Fatal(err)
	}
	s.token = made.Secret
	return s
}

func (s *site) start() {
	s.t.Helper()
	h, err := New(s.opts)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.host, s.stop, s.ended = h, stop, make(chan error, 1)
	listening := make(chan Addresses, 1)
	go func() { s.ended <- h.Serve(ctx, func(a Addresses) { listening <- a }) }()
	select {
	case a := <-listening:
		s.url, s.plain = a.Clients, a.Plain
	case err := <-s.ended:
		s.t.Fatal(err)
	case <-time.After(patience):
		s.t.Fatal("the host does not listen")
	}
}

func (s *site) end() {
	if s.stop == nil {
		return
	}
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Error(err)
		}
	case <-time.After(2 * patience):
		s.t.Error("the host does not end")
	}
	s.stop = nil
}

// reply is what the API has answered.
type reply struct {
	status int
	body   []byte
	header http.Header
}

// ask puts a question with a token.
func (s *site) ask(token, method, path string, body any) reply {
	s.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		in = bytes.NewReader(b)
	case string:
		in = strings.NewReader(b)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, s.url+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return s.send(req)
}

func (s *site) send(req *http.Request) reply {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	resp, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		s.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	return reply{resp.StatusCode, data, resp.Header}
}

// want puts a question with all rights, whose answer must have a status and is read into v, unless that is nil.
func (s *site) want(status int, method, path string, body, v any) {
	s.t.Helper()
	r := s.ask(s.token, method, path, body)
	if r.status != status {
		s.t.Fatalf("%s %s: got %d %s, want %d", method, path, r.status, r.body, status)
	}
	if v != nil {
		if err := json.Unmarshal(r.body, v); err != nil {
			s.t.Fatalf("%s %s: got %s: %v", method, path, r.body, err)
		}
	}
}

// failure checks that an answer is a failure with a code.
func (r reply) failure(t *testing.T, what string, code api.Code) {
	t.Helper()
	var f api.Failure
	if err := json.Unmarshal(r.body, &f); err != nil || f.Problem.Code != code || r.status != statuses[code] {
		t.Errorf("%s: got %d %s, want %d %s", what, r.status, r.body, statuses[code], code)
	}
}

// put uploads a version.
func (s *site) put(app, version string) string {
	s.t.Helper()
	data := program(s.t, version)
	sum := hash(data)
	if s.ask(s.token, "HEAD", api.BlobPath(app, sum), nil).status != http.StatusOK {
		s.want(204, "PUT", api.BlobPath(app, sum), data, nil)
	}
	return sum
}

// events are those of an answer.
func (s *site) events(r reply) []api.Event {
	s.t.Helper()
	if r.status != http.StatusOK {
		s.t.Fatalf("got %d %s, want events", r.status, r.body)
	}
	var list []api.Event
	for line := range bytes.Lines(r.body) {
		var ev api.Event
		if err := json.Unmarshal(line, &ev); err != nil {
			s.t.Fatalf("got the line %s: %v", line, err)
		}
		s.t.Logf("event %s", bytes.TrimSpace(line))
		list = append(list, ev)
	}
	if len(list) == 0 || !list[len(list)-1].Last() {
		s.t.Fatalf("the events end without a last one: %s", r.body)
	}
	return list
}

// try deploys a version, and returns the events.
func (s *site) try(app, version string, change ...func(*api.DeployRequest)) []api.Event {
	s.t.Helper()
	q := &api.DeployRequest{Binary: s.put(app, version), Message: "this is " + version}
	for _, c := range change {
		c(q)
	}
	return s.events(s.ask(s.token, "POST", api.AppPath(app, api.DeployPath), q))
}

// deploy deploys a version, which must go well.
func (s *site) deploy(app, version string, change ...func(*api.DeployRequest)) []api.Event {
	s.t.Helper()
	list := s.try(app, version, change...)
	if last := list[len(list)-1]; last.Kind != api.Done {
		s.t.Fatalf("deploy %s: got %+v", version, last)
	}
	return list
}

// find returns the first event of a kind; it must be there.
func find(t *testing.T, list []api.Event, kind api.EventKind) api.Event {
	t.Helper()
	for _, ev := range list {
		if ev.Kind == kind {
			return ev
		}
	}
	t.Fatalf("there is no event %q in %+v", kind, list)
	return api.Event{}
}

// visit asks an app by its host name.
func (s *site) visit(host, path string) reply {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = host
	return s.send(req)
}

// says checks what an app answers.
func (s *site) says(host, path, want string) {
	s.t.Helper()
	if r := s.visit(host, path); r.status != 200 || string(r.body) != want {
		s.t.Errorf("GET %s%s: got %d %q, want %q", host, path, r.status, r.body, want)
	}
}

// socket is a client of a room.
type socket struct {
	t  *testing.T
	ws *websocket.Conn
}

func (s *site) dial(host, path string) *socket {
	s.t.Helper()
	d := websocket.Dialer{HandshakeTimeout: patience}
	ws, _, err := d.Dial("ws"+strings.TrimPrefix(s.url, "http")+path, http.Header{"Host": {host}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { ws.Close() })
	return &socket{s.t, ws}
}

// talk sends a text and checks what comes.
func (c *socket) talk(text, want string) {
	c.t.Helper()
	c.send(text)
	c.ws.SetReadDeadline(time.Now().Add(patience))
	_, got, err := c.ws.ReadMessage()
	if err != nil || string(got) != want {
		c.t.Errorf("after %q: got %q, %v, want %q", text, got, err, want)
	}
}

func (c *socket) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// await waits until something holds.
func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("it does not happen that %s", what)
		}
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		return err
	}
	return os.Chmod(to, 0o755)
}

func mustTime(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// serveTest serves a handler, and returns its URL.
func serveTest(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
