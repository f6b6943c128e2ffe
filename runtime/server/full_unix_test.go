//go:build unix

package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestDiskThatTakesNothing runs a server whose files cannot be written, or cannot grow, and then can again: writers get errors,
// readers go on, and nothing that was acknowledged is missing afterwards.
func TestDiskThatTakesNothing(t *testing.T) {
	dir := t.TempDir()
	c := spawn(t, dir)
	put := func(room string, n int, body string) answer {
		t.Helper()
		return fetch(t, "PUT", fmt.Sprintf("%s/parties/ledger/%s?client=x&n=%d", c.url, room, n), body)
	}
	stored := func(room string) string {
		t.Helper()
		a := visit(t, c.url+"/parties/ledger/"+room)
		if a.status != 200 {
			t.Errorf("GET of room %s: %d %q", room, a.status, a.body)
		}
		return a.body
	}
	limit := func(bytes string) {
		t.Helper()
		visit(t, c.url+"/limit?bytes="+bytes).check(t, 200, "limited\n")
	}
	socket := func() *websocket.Conn {
		t.Helper()
		ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(c.url, "http")+"/parties/ledger/a?_pk=s", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ws.Close() })
		ws.SetReadDeadline(time.Now().Add(patience))
		return ws
	}
	say := func(ws *websocket.Conn, n int) (string, error) {
		t.Helper()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
		_, data, err := ws.ReadMessage()
		return string(data), err
	}

	put("a", 1, "").check(t, 200, "1")
	before := stored("a")
	ws := socket()

	// Nothing can be written.
	limit("0")
	if a := put("a", 2, ""); a.status != 500 {
		t.Errorf("PUT: got %d %q, want 500", a.status, a.body)
	}
	if a := put("new", 2, ""); a.status != 500 {
		t.Errorf("PUT to a new room: got %d %q, want 500", a.status, a.body)
	}
	if text, err := say(ws, 2); !websocket.IsCloseError(err, websocket.CloseInternalServerErr) {
		t.Errorf("message: got %q, %v, want close 1011", text, err)
	}
	if got := stored("a"); got != before {
		t.Errorf("stored %s, want %s", got, before)
	}
	visit(t, c.admin+"/readyz").check(t, 503, "the store could not write\n")
	visit(t, c.admin+"/healthz").check(t, 200, "ok\n")
	// It can again, and nobody has to do anything.
	limit("")
	put("a", 2, "").check(t, 200, "2")
	if text, err := say(socket(), 1); err != nil || text != "1" {
		t.Errorf("message: got %q, %v", text, err)
	}
	visit(t, c.admin+"/readyz").check(t, 200, "ready\n")

	// A little can be written, and a lot cannot.
	limit(strconv.Itoa(512 << 10))
	if a := put("a", 3, strings.Repeat("x", 1<<20)); a.status != 500 {
		t.Errorf("large PUT: got %d %q, want 500", a.status, a.body)
	}
	put("b", 1, "").check(t, 200, "1")
	put("a", 4, "").check(t, 200, "4")
	limit("")
	put("a", 5, strings.Repeat("x", 1<<20)).check(t, 200, "5")

	wantA, wantB := stored("a"), stored("b")
	c.kill()
	c = spawn(t, dir)
	if got := stored("a"); got != wantA || !strings.Contains(got, `"x/a":5`) || strings.Contains(got, "log/000000003") {
		t.Errorf("after a restart: stored %s, want %s", got, wantA)
	}
	if got := stored("b"); got != wantB {
		t.Errorf("after a restart: stored %s, want %s", got, wantB)
	}
	if got := stored("new"); got != "{}\n" {
		t.Errorf("after a restart: stored %s in a room that was never written", got)
	}
}
