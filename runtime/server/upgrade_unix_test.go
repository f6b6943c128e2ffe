//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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

	"github.com/goparty-dev/party/internal/release"
)

// talker sends the numbers from 1 to its rooms and watches everything that happens there.
type talker struct {
	name, party, url string
	failed           atomic.Pointer[error] // why it has ended early
	sent, heard      atomic.Int64
}

// talk runs one of the ways of talking.
func (c *talker) talk(way func() error) {
	if err := way(); err != nil {
		c.failed.Store(&err)
	}
}

func (c *talker) err() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// bySocket talks with up to 4 numbers ahead of what came back, until ctx ends; then it
// waits for the rest.
func (c *talker) bySocket(ctx context.Context) error {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.url, "http")+"/parties/"+c.party+"/room?_pk="+c.name, nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	last := 0                    // of the room's numbers
	others := map[string]int64{} // last number of each, as heard
	for {
		for ctx.Err() == nil && c.sent.Load() < c.heard.Load()+4 {
			if err := ws.WriteMessage(websocket.TextMessage, fmt.Append(nil, c.sent.Add(1))); err != nil {
				return err
			}
		}
		if ctx.Err() != nil && c.heard.Load() == c.sent.Load() {
			return ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(patience))
		}
		ws.SetReadDeadline(time.Now().Add(patience))
		_, data, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("after %d sent and %d heard: %w", c.sent.Load(), c.heard.Load(), err)
		}
		var n int
		var who string
		var what int64
		if _, err := fmt.Sscan(string(data), &n, &who, &what); err != nil {
			return fmt.Errorf("%q: %w", data, err)
		}
		if last != 0 && n != last+1 {
			return fmt.Errorf("the room's number %d follows %d", n, last)
		}
		if before, ok := others[who]; ok && what != before+1 {
			return fmt.Errorf("%s said %d after %d", who, what, before)
		}
		last, others[who] = n, what
		if who == c.name {
			c.heard.Store(what)
		}
	}
}

// byHTTP talks one request after the other.
func (c *talker) byHTTP(ctx context.Context) error {
	for ctx.Err() == nil {
		target := fmt.Sprintf("%s/parties/%s/room?who=%s&what=%d", c.url, c.party, c.name, c.sent.Add(1))
		resp, err := http.Post(target, "text/plain", nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return errors.Join(err, fmt.Errorf("request %d: %s %q", c.sent.Load(), resp.Status, body))
		}
		c.heard.Add(1)
	}
	return nil
}

// traffic is talkers at work.
type traffic struct {
	all  []*talker
	wait sync.WaitGroup
	end  context.CancelFunc
}

func (s *site) traffic() *traffic {
	ctx, end := context.WithCancel(context.Background())
	tr := &traffic{end: end}
	for _, p := range []string{"tally", "plain"} {
		for n := range 8 {
			c := &talker{name: fmt.Sprint(p, n), party: p, url: s.url}
			tr.all = append(tr.all, c)
			tr.wait.Go(func() {
				way := c.bySocket
				if n >= 6 {
					way = c.byHTTP
				}
				c.talk(func() error { return way(ctx) })
			})
		}
	}
	s.t.Cleanup(end)
	return tr
}

// progress waits until everybody has been heard some more.
func (tr *traffic) progress(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, c := range tr.all {
		for from := c.heard.Load(); c.heard.Load() < from+5; {
			if err := c.err(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s gets no further than %d of %d", c.name, c.heard.Load(), c.sent.Load())
			}
			time.Sleep(time.Millisecond) // there is nothing to wait for but the number
		}
	}
}

// finish ends the traffic and wants that nobody has noticed anything.
func (tr *traffic) finish(t *testing.T) {
	t.Helper()
	tr.end()
	tr.wait.Wait()
	total := int64(0)
	for _, c := range tr.all {
		total += c.heard.Load()
		if err := c.err(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	t.Logf("%d messages and requests", total)
}

// TestUpgradeUnderTraffic goes through versions, good and bad, while clients talk, of whom none may notice.
func TestUpgradeUnderTraffic(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "stillborn", "crashing", "v5"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "2s")
	s.serves("v1")
	tr := s.traffic()
	tr.progress(t)

	s.want(0, "proven", "upgrade", "v2", "--data", "data")
	s.serves("v2")
	tr.progress(t)
	s.want(0, "handed over", "rollback", "--data", "data")
	s.serves("v1")
	tr.progress(t)
	s.want(1, "there is no version before this one", "rollback", "--data", "data")
	s.want(0, "with 12 sockets handed over", "upgrade", "v2", "--data", "data")
	tr.progress(t)

	s.want(1, "it exited with status 3, and said:\nthe stillborn has nothing to say", "upgrade", "stillborn", "--data", "data")
	s.serves("v2")
	tr.progress(t)
	s.want(1, "crashed on probation", "upgrade", "--data", "data", "crashing")
	s.serves("v2")
	tr.progress(t)

	// Killed from outside, while rooms may still be on their way.
	s.want(0, "handed over", "upgrade", "v5", "--no-wait", "--data", "data")
	if err := syscall.Kill(s.host(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("rolled back")
	tr.progress(t)
	s.serves("v2")
	// A version that is proven is not given up for a crash.
	if err := syscall.Kill(s.host(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.await("version crashed")
	tr.progress(t)
	s.serves("v2")
	s.want(0, "proven", "upgrade", "v5", "--data", "data")
	tr.progress(t)
	s.serves("v5")
	tr.finish(t)
	s.stop()
}

// host is the process that runs the rooms.
func (s *site) host() int {
	s.t.Helper()
	// By hand: a process would take its time, and probation is short.
	via := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.data, "control.sock"))
	}}
	req, err := http.NewRequest("GET", "http://server/status", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	got := send(s.t, via, req)
	var st struct{ Host int }
	if err := json.Unmarshal([]byte(got.body), &st); err != nil || st.Host == 0 {
		s.t.Fatalf("status %q: %v", got.body, err)
	}
	return st.Host
}

// await waits until the server has logged something.
func (s *site) await(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(3 * patience); !strings.Contains(s.output(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the server does not log %q", text)
		}
	}
}

// TestRestartAfterUpgrade shows which version a service manager gets that knows one path only.
func TestRestartAfterUpgrade(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	install(t, s.file("v2"), "v2")
	s.start(s.file("v1"), "--probation", "10ms")
	visit(t, s.url+"/parties/tally/whoever")
	s.want(0, "proven", "upgrade", "v2", "--data", "data")
	s.stop()

	s.start(s.file("v1"))
	s.serves("v2") // which the process itself has become
	s.want(0, "handed over", "rollback", "--data", "data")
	s.serves("v1")
	s.stop()

	s.start(s.file("v1"))
	s.serves("v1")
	// The usual way of services: put the new file in the place of the old, and say so.
	install(t, s.file("v1"), "v3")
	s.signal(syscall.SIGUSR2)
	s.await("version serving version=" + s.id("v1"))
	s.serves("v3")
	s.stop()
	// It was on probation, which did not end: the version before serves until somebody tries again.
	s.start(s.file("v1"), "--probation", "10ms")
	s.serves("v1")
	s.stop()
	// A file that is new is what the operator wants.
	install(t, s.file("v1"), "v4")
	s.start(s.file("v1"))
	s.serves("v4")
	s.stop()
}

// id is the number of a version.
func (s *site) id(file string) string {
	s.t.Helper()
	id, err := release.ID(s.file(file))
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// TestUpgradeIsRefused shows what cannot be put into a running server.
func TestUpgradeIsRefused(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "poor"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "10ms")
	for _, p := range []string{"tally", "plain"} {
		fetch(t, "POST", s.url+"/parties/"+p+"/room?who=me&what=1", "").check(t, 200, "v1")
	}
	s.want(1, `it has no party "plain", of which 1 rooms have data`, "upgrade", "poor", "--data", "data")
	if err := os.WriteFile(s.file("text"), []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.want(1, "was it made by party build?", "upgrade", "text", "--data", "data")
	s.want(1, "no such file", "upgrade", "none", "--data", "data")
	s.want(1, "this is the version that serves", "upgrade", "v1", "--data", "data")
	s.want(1, `no "serve --upgradable" answers`, "upgrade", "v1", "--data", "elsewhere")
	s.want(2, "wants 1 arguments", "upgrade", "--data", "data")
	s.serves("v1")
	s.stop()
}

// TestUpgradeThatMovesRooms takes a version in whose migration renames a party: there is no way back.
func TestUpgradeThatMovesRooms(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "renaming"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "10ms")
	fetch(t, "POST", s.url+"/parties/plain/room?who=me&what=1", "").check(t, 200, "v1")
	s.want(0, "proven", "upgrade", "renaming", "--data", "data")
	visit(t, s.url+"/parties/fancy/room").check(t, 200, "renaming")
	fetch(t, "GET", s.url+"/parties/plain/room", "").check(t, 404, "party not found\n")
	s.want(1, "would not find its rooms", "rollback", "--data", "data")
	s.stop()
	s.start(s.file("v1"))
	visit(t, s.url+"/parties/fancy/room").check(t, 200, "renaming")
	s.stop()
}

// TestUpgradeThatAddsAParty is one that can be gone back from, although the store has been through its migration.
func TestUpgradeThatAddsAParty(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "adding"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "10ms")
	s.want(0, "proven", "upgrade", "adding", "--data", "data")
	visit(t, s.url+"/parties/extra/room").check(t, 200, "adding")
	s.want(0, "handed over", "rollback", "--data", "data")
	s.serves("v1")
	s.stop()
	s.start(s.file("v1"), "--probation", "10ms")
	s.serves("v1")
	s.want(0, "proven", "upgrade", "adding", "--data", "data")
	s.serves("adding")
	s.stop()
}

// TestHealth asks a server whether it is ready, as the health check of a container does.
func TestHealth(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	s.start(s.file("v1"), "--admin", "127.0.0.1:0")
	s.want(0, "ready", "health", "--admin", s.admin())
	s.stop()
	s.want(1, "error: ", "health", "--admin", s.admin())
}
