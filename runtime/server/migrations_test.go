package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// note remembers what was posted and when it is to be reminded.
type note struct{ party.Room }

func (n *note) OnRequest(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if err := n.Storage().Put(r.Context(), "note", r.URL.RawQuery); err != nil {
			panic(err)
		}
		if err := n.SetAlarm(time.Now().Add(100 * time.Millisecond)); err != nil {
			panic(err)
		}
		return
	}
	text, _, err := party.Get[string](r.Context(), n.Storage(), "note")
	if err != nil {
		panic(err)
	}
	_, alarm := n.Alarm()
	fmt.Fprint(w, text, " ", alarm)
}

func (n *note) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(msg)
}

func (n *note) OnAlarm(ctx context.Context) error {
	return n.Storage().Put(ctx, "note", "reminded in "+n.Party())
}

var (
	recorded = party.Migration{Tag: "v1", New: []string{"memo"}}
	renamed  = party.Migration{Tag: "v2", Renamed: []party.Rename{{From: "memo", To: "note"}}}
)

func TestServerMigratesItsStore(t *testing.T) {
	store := memory.New()
	run := func(name string, ms ...party.Migration) (*server.Server, error) {
		app := &party.App{Rooms: []party.Definition{party.Define[note](name)}, Migrations: ms}
		return server.New(server.App(app), server.Store(store), quiet())
	}
	use := func(s *server.Server, err error) *pipes {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return startPipes(t, s)
	}
	request := func(p *pipes, method, path string) answer {
		t.Helper()
		r, err := http.NewRequest(method, "http://pipes"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return send(t, p, r)
	}
	end := func(s *server.Server) {
		t.Helper()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := run("memo", recorded)
	request(use(s, err), "POST", "/parties/memo/a?milk").check(t, 200, "")
	end(s)
	s, err = run("note", recorded, renamed)
	if got := request(use(s, err), "GET", "/parties/note/a"); got.status != 200 || got.body != "milk true" && got.body != "reminded in note false" {
		t.Errorf("after the rename: %d %q", got.status, got.body)
	}
	end(s)
	if _, err := run("memo", recorded); !errors.Is(err, storage.ErrMigrated) {
		t.Errorf("older program: got error %v, want %v", err, storage.ErrMigrated)
	}
}

// TestMigrateWhileServing is what party dev does when a rename has been recorded.
func TestMigrateWhileServing(t *testing.T) {
	p, hs := serve(t, platform.Options{Store: memory.New()})
	p.SetHost(host(t, party.HostOptions{}, party.Define[note]("memo")))
	known := []storage.Migration{recorded}
	if n, err := p.Migrate(t.Context(), known); n != 1 || err != nil {
		t.Fatalf("Migrate() = %d, %v", n, err)
	}
	c := dial(t, hs, "/parties/memo/a")
	c.say("still the same host?")
	c.want("still the same host?")
	fetch(t, "POST", hs.URL+"/parties/memo/a?milk", "").check(t, 200, "")

	if n, err := p.Migrate(t.Context(), append(known, renamed)); n != 1 || err != nil {
		t.Fatalf("Migrate() = %d, %v", n, err)
	}
	c.wantClose(1012, "the party has been renamed or deleted")
	p.SetHost(host(t, party.HostOptions{}, party.Define[note]("note")))
	if got := visit(t, hs.URL+"/parties/memo/a").status; got != 404 {
		t.Errorf("the old name: got %d, want 404", got)
	}
	until(t, "alarm", func() bool { return visit(t, hs.URL+"/parties/note/a").body == "reminded in note false" })
}
