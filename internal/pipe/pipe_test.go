package pipe_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/pipe"
)

// echo upgrades and sends one message back, with the path it was asked for.
func echo(w http.ResponseWriter, r *http.Request) {
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	kind, data, err := ws.ReadMessage()
	if err == nil {
		ws.WriteMessage(kind, []byte(r.URL.RequestURI()+" "+r.Header.Get("X-Test")+" "+string(data)))
	}
}

func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws, _, err := pipe.Dial(t.Context(), http.HandlerFunc(echo), "/a%20b?q=1", http.Header{"X-Test": {"header"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		if err := ws.WriteMessage(websocket.TextMessage, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		_, data, err := ws.ReadMessage()
		if want := "/a%20b?q=1 header hi"; err != nil || string(data) != want {
			t.Errorf("got %q, %v, want %q", data, err, want)
		}
	})
}

func TestDialRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, resp, err := pipe.Dial(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "not you", http.StatusForbidden)
		}), "/", nil)
		if !errors.Is(err, websocket.ErrBadHandshake) || resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Fatalf("got %v, %v, want a refusal with 403", resp, err)
		}
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "not you\n" {
			t.Errorf("body %q, %v", b, err)
		}
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := pipe.Dial(ctx, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), "/", nil)
		if err == nil {
			t.Error("Dial succeeded without an answer")
		}
	})
}
