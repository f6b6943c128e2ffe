//go:build unix

package hosting

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// BenchmarkProxy compares a request and a message straight to an app with the same through the host. The app is a bare
// handler, so that the difference is all there is to see.
func BenchmarkProxy(b *testing.B) {
	up := websocket.Upgrader{}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/socket" {
			w.Write([]byte("ok"))
			return
		}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, data) != nil {
				return
			}
		}
	})
	direct, through := benchSites(b, app)
	for _, way := range []struct {
		name string
		url  string
	}{{"direct", direct}, {"through", through}} {
		b.Run("request/"+way.name, func(b *testing.B) {
			for b.Loop() {
				req, err := http.NewRequest("GET", way.url+"/", nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Host = "chat.apps.test"
				resp, err := http.DefaultClient.Do(req)
				if err != nil || resp.StatusCode != 200 {
					b.Fatal(resp, err)
				}
				resp.Body.Close()
			}
		})
		b.Run("message/"+way.name, func(b *testing.B) {
			ws, _, err := websocket.DefaultDialer.Dial("ws"+way.url[len("http"):]+"/socket", http.Header{"Host": {"chat.apps.test"}})
			if err != nil {
				b.Fatal(err)
			}
			defer ws.Close()
			text := []byte("a message of thirty-two bytes...")
			for b.Loop() {
				if err := ws.WriteMessage(websocket.TextMessage, text); err != nil {
					b.Fatal(err)
				}
				if _, _, err := ws.ReadMessage(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchSites serves a handler on TCP, and as an app of a host that listens on TCP too.
func benchSites(b *testing.B, handler http.Handler) (direct, through string) {
	b.Helper()
	bare := httptest.NewServer(handler)
	b.Cleanup(bare.Close)
	h, a := benchHost(b)
	serveSocket(b, a.place.socket(), handler)
	front := httptest.NewServer(h.Handler())
	b.Cleanup(front.Close)
	return bare.URL, front.URL
}

// benchHost is a host with an app that is said to run.
func benchHost(b *testing.B) (*Host, *app) {
	b.Helper()
	dir, err := os.MkdirTemp("", "ph")
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{Data: filepath.Join(dir, "d"), Run: filepath.Join(dir, "r"), Addr: "127.0.0.1:0", Domain: "apps.test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(h.Shutdown(), os.RemoveAll(dir)); err != nil {
			b.Error(err)
		}
	})
	a, err := h.make("chat")
	if err != nil {
		b.Fatal(err)
	}
	if err := a.await(b.Context(), a.run("")); err != nil { // its keeper has nothing more to do
		b.Fatal(err)
	}
	if err := a.user.folder(a.place.sockets()); err != nil {
		b.Fatal(err)
	}
	a.turn(api.Running, "")
	return h, a
}

func serveSocket(b *testing.B, path string, handler http.Handler) {
	b.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: handler}
	b.Cleanup(func() { srv.Close() })
	go srv.Serve(l)
}
