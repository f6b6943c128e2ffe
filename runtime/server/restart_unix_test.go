//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// stranger sends one request after the other, each on a connection of its own.
func (c *talker) stranger(ctx context.Context) error {
	via := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		resp, err := via.Post(fmt.Sprintf("%s/parties/%s/room?who=%s&what=%d", c.url, c.party, c.name, c.sent.Add(1)), "text/plain", nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return errors.Join(err, fmt.Errorf("request %d: %s %q", c.sent.Load(), resp.Status, body))
		}
		c.heard.Store(c.sent.Load())
	}
	return nil
}

// returning talks by socket, one number after the other, and connects again whenever it is told 1012.
func (c *talker) returning(ctx context.Context, closed *atomic.Int64) error {
	for ctx.Err() == nil {
		ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(c.url, "http")+"/parties/"+c.party+"/room?_pk="+c.name, nil)
		if err != nil {
			return err
		}
		for err == nil && ctx.Err() == nil {
			err = ws.WriteMessage(websocket.TextMessage, fmt.Append(nil, c.sent.Add(1)))
			for err == nil && c.heard.Load() != c.sent.Load() {
				var data []byte
				ws.SetReadDeadline(time.Now().Add(3 * patience))
				if _, data, err = ws.ReadMessage(); err != nil {
					break
				}
				var n, what int64
				var who string
				if _, err := fmt.Sscan(string(data), &n, &who, &what); err != nil {
					return fmt.Errorf("%q: %w", data, err)
				}
				if who == c.name {
					c.heard.Store(what)
				}
			}
		}
		if err != nil { // a write that fails says nothing of why
			_, _, read := ws.ReadMessage()
			if !websocket.IsCloseError(err, websocket.CloseServiceRestart) && !websocket.IsCloseError(read, websocket.CloseServiceRestart) {
				return errors.Join(err, read)
			}
			closed.Add(1)
		}
		ws.Close()
	}
	return nil
}

// TestRestart turns a server into another version, platform and all, while clients talk. No connection is
// refused, no request fails, sockets are told 1012, and what anybody was told of is stored.
func TestRestart(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "stillborn"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--admin", "127.0.0.1:0")
	admin := s.admin()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	var talkers []*talker
	var closed atomic.Int64
	var talking sync.WaitGroup
	for n := range 8 {
		c := &talker{name: fmt.Sprint("c", n), party: []string{"tally", "plain"}[n%2], url: s.url}
		talkers = append(talkers, c)
		talking.Go(func() {
			if n < 4 {
				c.talk(func() error { return c.stranger(ctx) })
			} else {
				c.talk(func() error { return c.returning(ctx, &closed) })
			}
		})
	}
	tr := &traffic{all: talkers}
	tr.progress(t)

	s.want(0, "serving, platform and all", "upgrade", "v2", "--restart", "--data", "data")
	s.serves("v2")
	tr.progress(t)
	if got := closed.Load(); got < 4 {
		t.Errorf("%d sockets were closed with 1012, want at least 4", got)
	}
	s.want(0, "ready", "health", "--admin", admin)
	// One that does not start leaves everything to the one before.
	s.want(1, "could not start, and version "+s.id("v2")+" serves again", "upgrade", "stillborn", "--restart", "--data", "data")
	s.serves("v2")
	tr.progress(t)
	if out, _ := s.order("status", "--data", "data"); strings.Contains(out, s.id("stillborn")) {
		t.Errorf("one can go back to a version that never served:\n%s", out)
	}
	end()
	talking.Wait()
	for _, c := range talkers {
		if err := c.err(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		stored := visit(t, s.url+"/parties/"+c.party+"/room?stored").body
		var last int64
		_, rest, _ := strings.Cut(stored, "of "+c.name+" ")
		if _, err := fmt.Sscan(rest, &last); err != nil || last < c.heard.Load() || last > c.sent.Load() {
			t.Errorf("%s: has heard %d of %d, stored is %d, %v", c.name, c.heard.Load(), c.sent.Load(), last, err)
		}
	}
	for line := range strings.Lines(s.output()) {
		if strings.Contains(line, "restarted") {
			t.Log(strings.TrimSpace(line))
		}
	}
	s.stop() // it is the same process
}

// TestRestartWithAnotherLink takes a version that speaks another version of the link, which only a restart can put in.
func TestRestartWithAnotherLink(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	install(t, s.file("v2"), "v2")
	admin := "unix:" + filepath.Join(s.dir, "admin.sock")
	s.start(s.file("v1"), "--admin", admin, "--probation", "10ms")
	s.want(0, "proven", "upgrade", "v2", "--data", "data")
	s.want(0, "handed over", "rollback", "--data", "data")
	s.pretend("v2")
	s.want(1, "upgrade --restart restarts the server with it", "upgrade", "v2", "--data", "data")
	s.serves("v1")

	// The usual way of services: put the new file in the place of the old, and say so.
	install(t, s.file("v1"), "v2")
	s.signal(syscall.SIGUSR2)
	s.await("INFO restarted")
	s.serves("v2")
	s.want(0, "ready", "health", "--admin", admin)
	pid := s.cmd.Process.Pid
	s.want(0, fmt.Sprintf("platform process %d,", pid), "status", "--data", "data")
	s.stop()
	if left, err := filepath.Glob(filepath.Join(s.dir, "*.sock")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s.start(s.file("v1"))
	s.serves("v2")
	s.stop()
}

// pretend makes a version that the server knows one with another link.
func (s *site) pretend(version string) {
	s.t.Helper()
	path := filepath.Join(s.data, "versions", s.id(version), "about.json")
	data, err := os.ReadFile(path)
	var about map[string]any
	if err = errors.Join(err, json.Unmarshal(data, &about)); err != nil {
		s.t.Fatal(err)
	}
	build, ok := about["build"].(map[string]any)
	if !ok {
		s.t.Fatalf("no build in %s", data)
	}
	build["link"] = 99
	if data, err = json.Marshal(about); err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
