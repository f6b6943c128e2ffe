package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// guard is a before hook that does what the query says.
func guard(name string) func(http.ResponseWriter, *http.Request, *party.Lobby) (*http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
		switch r.URL.Query().Get("do") {
		case "change":
			r.Header.Set("X-User", "ada")
			return r, nil
		case "replace":
			r = r.Clone(context.WithValue(r.Context(), ctxKey{}, "replaced"))
			r.Header.Set("X-User", "bob")
			return r, nil
		case "body":
			b, _ := io.ReadAll(r.Body)
			r.Header.Set("X-User", string(b))
			return r, nil
		case "answer":
			w.Header().Set("X-Hook", name)
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprint(w, "answered by "+name)
			return nil, nil
		case "error":
			return nil, errors.New("who are you?")
		case "reject":
			return nil, fmt.Errorf("wrapped: %w", party.Reject(http.StatusPaymentRequired, "pay first"))
		case "reject200":
			return nil, party.Reject(200, "not a refusal")
		case "nothing":
			return nil, nil
		case "panic":
			panic("the hook's secret")
		case "forward":
			return nil, lobby.Party("chat").Get("elsewhere").Forward(w, r)
		}
		r.Header.Set("X-Hooked-By", name)
		return r, nil
	}
}

type ctxKey struct{}

// hooked answers with what the hooks have made of a request.
var hooked = script{
	request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		fmt.Fprintf(w, "%s user=%s by=%s body=%s", r.Name(), req.Header.Get("X-User"), req.Header.Get("X-Hooked-By"), body)
	},
	connect: func(_ context.Context, r *scripted, c *party.Conn, req *http.Request) error {
		return c.Send(party.Text(fmt.Sprintf("%s %s user=%s by=%s", r.Name(), c.ID(), req.Header.Get("X-User"), req.Header.Get("X-Hooked-By"))))
	},
}

func hookedApp() *party.App {
	return &party.App{
		Rooms: []party.Definition{hooked.define("chat"), hooked.define("own"), hooked.define("game")},
		BeforeConnect: []party.BeforeHook{
			{Func: guard("general")},
			{Party: "own", Func: guard("own")},
		},
		BeforeRequest: []party.BeforeHook{
			{Party: "own", Func: guard("own")},
			{Func: guard("general")},
		},
	}
}

func TestBeforeRequest(t *testing.T) {
	hs := start(t, quiet(), server.App(hookedApp()))
	for _, test := range []struct {
		name, path string
		status     int
		body       string
	}{
		{"pass", "/parties/chat/a", 200, "a user= by=general body=b"},
		{"own hook wins", "/parties/own/a", 200, "a user= by=own body=b"},
		{"changed", "/parties/chat/a?do=change", 200, "a user=ada by= body=b"},
		{"replaced", "/parties/chat/a?do=replace", 200, "a user=bob by= body=b"},
		{"a hook that reads the body takes nothing away", "/parties/chat/a?do=body", 200, "a user=b by= body=b"},
		{"answered", "/parties/chat/a?do=answer", 418, "answered by general"},
		{"error", "/parties/chat/a?do=error", 401, "who are you?\n"},
		{"reject", "/parties/chat/a?do=reject", 402, "pay first\n"},
		{"reject with a status that is none", "/parties/chat/a?do=reject200", 401, "not a refusal\n"},
		{"forward", "/parties/chat/a?do=forward", 200, "elsewhere user= by= body=b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fetch(t, "POST", hs.URL+test.path, "b").check(t, test.status, test.body)
		})
	}
	for _, do := range []string{"nothing", "panic"} {
		if got := visit(t, hs.URL+"/parties/chat/a?do="+do); got.status != 500 || strings.Contains(got.body, "secret") || got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: got %d %q, want a short 500 with a request id", do, got.status, got.body)
		}
	}
}

func TestBeforeConnect(t *testing.T) {
	hs := start(t, quiet(), server.App(hookedApp()))
	for _, test := range []struct{ name, path, first string }{
		{"pass", "/parties/chat/a?_pk=x", "a x user= by=general"},
		{"own hook wins", "/parties/own/a?_pk=x", "a x user= by=own"},
		{"changed", "/parties/chat/a?_pk=x&do=change", "a x user=ada by="},
		{"replaced", "/parties/chat/a?_pk=x&do=replace", "a x user=bob by="},
		{"forward", "/parties/own/a?_pk=x&do=forward", "elsewhere x user= by="},
	} {
		t.Run(test.name, func(t *testing.T) { dial(t, hs, test.path).want(test.first) })
	}
	for _, test := range []struct {
		do     string
		status int
		body   string
	}{
		{"answer", 418, "answered by general"},
		{"error", 401, "who are you?\n"},
		{"reject", 402, "pay first\n"},
	} {
		t.Run(test.do, func(t *testing.T) {
			refused(t, hs, "/parties/chat/a?do="+test.do).check(t, test.status, test.body)
		})
	}
	if got := refused(t, hs, "/parties/chat/a?do=panic"); got.status != 500 {
		t.Errorf("panic: got %d %q", got.status, got.body)
	}
}

// TestCallsInsideSkipHooks shows that a lobby's calls are trusted.
func TestCallsInsideSkipHooks(t *testing.T) {
	app := hookedApp()
	app.Fetch = func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
		in, _ := http.NewRequest("GET", "/?do=error", nil)
		resp, err := lobby.Party("chat").Get("a").Fetch(r.Context(), in)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		io.Copy(w, resp.Body)
	}
	hs := start(t, server.App(app))
	visit(t, hs.URL+"/x").check(t, 200, "a user= by= body=")
}
