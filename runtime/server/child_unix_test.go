//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// childEnv makes this program the server that tests kill.
const childEnv = "PARTY_SERVER_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(versionEnv) != "" {
		serveVersion()
		return
	}
	switch os.Getenv(childEnv) {
	case "sleepers":
		serveSleepers()
		return
	case "pinned":
		servePinned()
		return
	case "ledger":
		server.Main(&party.App{
			Rooms: []party.Definition{
				party.Define[ledger]("ledger", party.AsHibernating()),
				party.Define[bell]("bell", party.AsHibernating()),
			},
			Fetch: limitFiles,
		})
		return
	}
	os.Exit(m.Run())
}

// ledger keeps a number for each of its clients: under two keys, which are always the same, and as the last one of a log.
type ledger struct{ party.Room }

// logLength is how many numbers of a client the log has.
const logLength = 20

func (l *ledger) set(ctx context.Context, client string, n int, filler string) error {
	s := l.Storage()
	for _, key := range []string{"a", "b"} {
		if err := s.Put(ctx, client+"/"+key, n); err != nil {
			return err
		}
	}
	if filler != "" {
		if err := s.Put(ctx, client+"/filler", filler); err != nil {
			return err
		}
	}
	if _, err := s.Delete(ctx, logKey(client, n-logLength)); err != nil {
		return err
	}
	return s.Put(ctx, logKey(client, n), n)
}

func logKey(client string, n int) string { return fmt.Sprintf("%s/log/%09d", client, n) }

// What a client asks for its own numbers, and the answer.
const (
	ledgerQuestion = "?"
	ledgerAnswer   = "a %d b %d"
)

// OnMessage takes "number", for the client that sends it, and acknowledges it; or answers the question.
func (l *ledger) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() == ledgerQuestion {
		a, _, err := party.Get[int](ctx, l.Storage(), conn.ID()+"/a")
		if err != nil {
			return err
		}
		b, _, err := party.Get[int](ctx, l.Storage(), conn.ID()+"/b")
		if err != nil {
			return err
		}
		return conn.Send(party.Text(fmt.Sprintf(ledgerAnswer, a, b)))
	}
	n, err := strconv.Atoi(msg.Text())
	if err != nil {
		return err
	}
	if err := l.set(ctx, conn.ID(), n, ""); err != nil {
		return err
	}
	return conn.Send(msg)
}

// OnRequest takes PUT ?client=&n=, with a body that is kept too, and answers GET with all that is stored.
func (l *ledger) OnRequest(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.Method == http.MethodPut {
		n, err := strconv.Atoi(q.Get("n"))
		var body bytes.Buffer
		if err == nil {
			_, err = body.ReadFrom(r.Body)
		}
		if err == nil {
			err = l.set(r.Context(), q.Get("client"), n, body.String())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, n)
		return
	}
	prefix := ""
	if c := q.Get("client"); c != "" {
		prefix = c + "/"
	}
	all, err := l.Storage().List(r.Context(), party.ListOptions{Prefix: prefix})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := make(map[string]int)
	for _, e := range all {
		if strings.HasSuffix(e.Key, "/filler") {
			continue
		}
		var n int
		if err := e.Decode(&n); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		out[e.Key] = n
	}
	_ = json.NewEncoder(w).Encode(out) // the client has gone, if it fails
}

// bell rings once for each number that it is told.
type bell struct{ party.Room }

// OnRequest takes PUT ?n=&ms=: an alarm in so many milliseconds. GET answers with the numbers armed and rung.
func (b *bell) OnRequest(w http.ResponseWriter, r *http.Request) {
	ctx, q := r.Context(), r.URL.Query()
	var armed, rung int
	_, err := b.Storage().Get(ctx, "armed", &armed)
	if err == nil {
		_, err = b.Storage().Get(ctx, "rung", &rung)
	}
	if err == nil && r.Method == http.MethodPut {
		armed, _ = strconv.Atoi(q.Get("n")) // 0 is wrong and found out
		ms, _ := strconv.Atoi(q.Get("ms"))
		if err = b.Storage().Put(ctx, "armed", armed); err == nil {
			err = b.SetAlarm(time.Now().Add(time.Duration(ms) * time.Millisecond))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%d %d", armed, rung)
}

func (b *bell) OnAlarm(ctx context.Context) error {
	var armed int
	if _, err := b.Storage().Get(ctx, "armed", &armed); err != nil {
		return err
	}
	return b.Storage().Put(ctx, "rung", armed)
}

// limitFiles answers /limit?bytes=: no file of the process can grow beyond that. Without a number there is
// no limit. It does for a full disk, and with 0 for a database that cannot be written.
func limitFiles(w http.ResponseWriter, r *http.Request, _ *party.Lobby) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	limit.Cur = limit.Max
	if s := r.URL.Query().Get("bytes"); s != "" && err == nil {
		limit.Cur, err = strconv.ParseUint(s, 10, 63)
	}
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "limited")
}

// child is a server process.
type child struct {
	t          *testing.T
	cmd        *exec.Cmd
	url, admin string
	listening  chan [2]string // addresses, once
	gone       chan struct{}  // closed when it has ended
	mu         sync.Mutex
	log        bytes.Buffer // guarded by mu
}

// spawn starts a server, and waits until it listens.
func spawn(t *testing.T, dir string) *child {
	t.Helper()
	c := begin(t, dir, "ledger")
	c.ready()
	return c
}

// begin starts a server of that kind and does not wait.
func begin(t *testing.T, dir, kind string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], "--addr", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", dir), gone: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childEnv+"="+kind)
	c.cmd.Dir = dir
	c.cmd.Stderr = c
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan [2]string, 1)
	go func() {
		defer close(c.gone)
		defer c.cmd.Wait() // it is killed; how it has ended is seen elsewhere
		defer close(listening)
		var at [2]string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := listenLine.FindStringSubmatch(lines.Text()); m != nil {
				at[0] = m[1]
			} else if m := adminLine.FindStringSubmatch(lines.Text()); m != nil {
				at[1] = m[1]
				listening <- at
			}
		}
	}()
	t.Cleanup(c.kill)
	c.listening = listening
	return c
}

// ready waits until the server listens.
func (c *child) ready() {
	c.t.Helper()
	at := within(c.t, c.listening, "the server to listen")
	if c.url, c.admin = at[0], at[1]; c.url == "" {
		c.t.Fatalf("the server has ended:\n%s", c.output())
	}
}

var (
	listenLine = regexp.MustCompile(`^listening on (http://\S+)$`)
	adminLine  = regexp.MustCompile(`^metrics on (http://\S+)/metrics$`)
)

// Write takes what the server logs.
func (c *child) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(b)
}

func (c *child) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// kill ends the server with SIGKILL.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	<-c.gone
}
