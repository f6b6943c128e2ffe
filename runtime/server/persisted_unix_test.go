//go:build unix

package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// servePinned is the server process of TestPersistedFieldsOutliveAKill.
func servePinned() { server.Main(&party.App{Rooms: []party.Definition{pins("notes")}}) }

// TestPersistedFieldsOutliveAKill shows that what a client has been told of persisted fields is there after SIGKILL.
func TestPersistedFieldsOutliveAKill(t *testing.T) {
	dir := t.TempDir()
	for round, want := range []string{"[a] map[a:1] 1", "[a a] map[a:2] 1", "[a a a] map[a:3] 1"} {
		c := begin(t, dir, "pinned")
		c.ready()
		at := &httptest.Server{URL: c.url}
		ws, _ := dialWith(t, at, "/parties/pinned/x")
		if err := ws.WriteMessage(websocket.TextMessage, []byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, data, err := ws.ReadMessage(); err != nil || string(data) != want {
			t.Errorf("round %d: got %q, %v, want %q", round, data, err, want)
		}
		c.kill()
		if out := c.output(); strings.Contains(out, "panic") {
			t.Errorf("round %d: the server logged:\n%s", round, out)
		}
	}
}
