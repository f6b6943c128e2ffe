package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// lobbyApp writes, wherever code outside rooms runs, what its lobby gives it.
func lobbyApp(ticks chan<- string) *party.App {
	describe := func(ctx context.Context, lobby *party.Lobby) string {
		partyName, room := lobby.Target()
		in, _ := http.NewRequest("GET", "/?q=1", nil)
		resp, err := lobby.Party("plain").Get("a b").Fetch(ctx, in)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return fmt.Sprintf("%s/%s KEY=%s %s %v", partyName, room, lobby.Env().Get("KEY"), body, err)
	}
	hook := func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
		fmt.Fprint(w, describe(r.Context(), lobby))
		return nil, nil
	}
	plain := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		partyName, room := r.Lobby().Target()
		fmt.Fprintf(w, "from %s %s%s%s", r.Name(), req.URL.RequestURI(), partyName, room)
	}}
	return &party.App{
		Rooms:         []party.Definition{plain.define("plain"), script{}.define("hooked", party.AsMain())},
		BeforeConnect: []party.BeforeHook{{Party: "hooked", Func: hook}},
		BeforeRequest: []party.BeforeHook{{Party: "hooked", Func: hook}},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			fmt.Fprint(w, describe(r.Context(), lobby))
		},
		Crons: []party.CronHook{{Name: "tick", Func: func(ctx context.Context, tick party.Tick, lobby *party.Lobby) error {
			ticks <- tick.Name + " " + describe(ctx, lobby)
			return nil
		}}, {Name: "broken", Func: func(context.Context, party.Tick, *party.Lobby) error { return errors.New("the cron's secret") }}},
	}
}

// TestLobby shows what code outside rooms is given: the addressed room, variables, other rooms.
func TestLobby(t *testing.T) {
	ticks := make(chan string, 10)
	opts := platform.Options{Dev: true, Crons: map[string]string{"tick": "@yearly", "broken": "@yearly"}}
	inBothForms(t, lobbyApp(ticks), opts, party.HostOptions{Vars: []byte(`{"KEY":"value"}`)}, func(t *testing.T, hs *httptest.Server) {
		const rest = " KEY=value from a b /parties/plain/a%20b?q=1 <nil>"
		visit(t, hs.URL+"/parties/hooked/a%2Fb/sub?x").check(t, 200, "hooked/a/b"+rest)
		visit(t, hs.URL+"/parties/HOOKED/%C3%BC").check(t, 200, "hooked/ü"+rest)
		visit(t, hs.URL+"/party/x").check(t, 200, "hooked/x"+rest)
		refused(t, hs, "/parties/main/x").check(t, 200, "hooked/x"+rest)
		visit(t, hs.URL+"/elsewhere").check(t, 200, "/"+rest)
		visit(t, hs.URL+"/__scheduled__?cron=tick").check(t, 200, "ran cron tick: @yearly\n")
		if got, want := within(t, ticks, "the cron function"), "tick /"+rest; got != want {
			t.Errorf("cron: got %q, want %q", got, want)
		}
	})
}

// TestCronByURL runs cron functions by hand, in dev only.
func TestCronByURL(t *testing.T) {
	ticks := make(chan string, 10)
	p, hs := serve(t, platform.Options{Dev: true, Crons: map[string]string{"tick": "@yearly", "broken": "@yearly"}})
	h, err := party.NewHost(lobbyApp(ticks), party.HostOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.SetHost(h)
	for _, method := range []string{"GET", "POST", "DELETE"} {
		fetch(t, method, hs.URL+"/__scheduled__?cron=tick", "").check(t, 200, "ran cron tick: @yearly\n")
		within(t, ticks, "the cron function")
	}
	for _, query := range []string{"?cron=none", "?cron=", ""} {
		visit(t, hs.URL+"/__scheduled__"+query).check(t, 404, "there is no cron function of that name; there is: tick, broken\n")
	}
	if got := visit(t, hs.URL+"/__scheduled__?cron=broken"); got.status != 500 || got.header.Get("X-Request-Id") == "" {
		t.Errorf("a failing one: got %d %q, want 500 with a request id", got.status, got.body)
	}
	app := lobbyApp(ticks)
	app.Fetch = nil
	prod := start(t, quiet(), server.App(app))
	visit(t, prod.URL+"/__scheduled__?cron=tick").check(t, 404, "Not found\n")
	if len(ticks) > 0 {
		t.Errorf("in production it ran: %s", <-ticks)
	}
}
