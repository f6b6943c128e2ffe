package party_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/pipe"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// moody is a room that does not start while broken is set. It answers messages with themselves.
type moody struct {
	party.Room
	broken *atomic.Bool
}

func (m *moody) OnStart(context.Context) error {
	if m.broken.Load() {
		return errors.New("not now")
	}
	return nil
}

func (m *moody) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(msg)
}

func (m *moody) OnRequest(http.ResponseWriter, *http.Request) {}

// TestHeldMessagesOverAStream keeps messages for a start also when platform and host are two processes: requests are
// answered meanwhile, and each message is delivered once.
func TestHeldMessagesOverAStream(t *testing.T) {
	var broken atomic.Bool
	app := &party.App{Rooms: []party.Definition{{Name: "moody", Type: "moody", Hibernate: true, New: func() party.Instance {
		v := &moody{broken: &broken}
		return party.Instance{Room: &v.Room, Start: v, Message: v, Request: v}
	}}}}
	quiet := slog.New(slog.DiscardHandler)
	p, err := platform.New(platform.Options{Store: memory.New(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	served := testDone(t)
	go func() {
		defer close(served)
		_ = stream.Serve(there, func(stream.Init) (link.Host, error) { return party.NewHost(app, party.HostOptions{Logger: quiet}) }) // ends with the stream
	}()
	h, err := stream.Connect(t.Context(), here, stream.Init{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	p.SetHost(h)
	ws, _, err := pipe.Dial(t.Context(), p, "/party/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	ws.SetReadDeadline(time.Now().Add(30 * time.Second))
	if err := p.Hibernate(t.Context(), storage.Room{Party: "moody", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	texts := []string{"one", "two", "three"}
	for _, text := range texts {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() int {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/party/x", nil))
		return w.Code
	}
	if got := ask(); got != 500 {
		t.Errorf("a request meanwhile: got %d, want 500", got)
	}
	broken.Store(false)
	for _, want := range append(texts, "four") {
		if want == "four" {
			if err := ws.WriteMessage(websocket.TextMessage, []byte(want)); err != nil {
				t.Fatal(err)
			}
		}
		if _, got, err := ws.ReadMessage(); string(got) != want || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
}
