package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestReservedHeaders shows that clients cannot speak for the platform.
func TestReservedHeaders(t *testing.T) {
	listed := func(h http.Header) string {
		var names []string
		for k := range h {
			if strings.HasPrefix(k, "X-") {
				names = append(names, k)
			}
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	s := script{
		request: func(_ *scripted, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, listed(r.Header)) },
		connect: func(_ context.Context, _ *scripted, c *party.Conn, r *http.Request) error {
			return c.Send(party.Text(listed(r.Header)))
		},
	}
	app := &party.App{
		Rooms: []party.Definition{s.define("chat")},
		Fetch: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) { fmt.Fprint(w, listed(r.Header)) },
	}
	hs := start(t, server.App(app))
	header := []string{
		"X-Party-User", "a", "x-party-props", "b", "X-Partykit-Id", "c", "X-PARTY-VIA", "d",
		"X-Partyline", "stays", "X-Other", "stays",
	}
	const want = "X-Other X-Partyline"
	visit(t, hs.URL+"/party/x", header...).check(t, 200, want)
	visit(t, hs.URL+"/elsewhere", header...).check(t, 200, want)
	c, _ := dialWith(t, hs, "/party/x", header...)
	c.want(want)
}

// corsHeaders are the CORS headers of an answer.
func corsHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for k := range h {
		if strings.HasPrefix(k, "Access-Control-") {
			out[strings.TrimPrefix(k, "Access-Control-")] = h.Get(k)
		}
	}
	return out
}

func TestCORS(t *testing.T) {
	s := script{message: echo, request: say("ok")}
	defaults := map[string]string{"Allow-Origin": "*", "Allow-Methods": "GET, POST, HEAD, OPTIONS", "Allow-Headers": "*", "Max-Age": "86400"}
	own := map[string]string{"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Credentials": "true"}
	ownSeen := map[string]string{"Allow-Origin": "https://app.example", "Allow-Credentials": "true"}
	for _, test := range []struct {
		name string
		opts []server.Option
		want map[string]string
		body string // of a preflight
	}{
		{"off", nil, map[string]string{}, "ok"},
		{"on", []server.Option{server.CORS(nil)}, defaults, ""},
		{"explicit", []server.Option{server.CORS(own)}, ownSeen, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			hs := start(t, append(test.opts, server.Rooms(s.define("chat")))...)
			got := visit(t, hs.URL+"/party/x", "Origin", "https://app.example")
			got.check(t, 200, "ok")
			if diff := cmp.Diff(corsHeaders(got.header), test.want); diff != "" {
				t.Errorf("answer: %s", diff)
			}
			preflight := fetch(t, "OPTIONS", hs.URL+"/party/x", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
			preflight.check(t, 200, test.body)
			if diff := cmp.Diff(corsHeaders(preflight.header), test.want); diff != "" {
				t.Errorf("preflight: %s", diff)
			}
			outside := fetch(t, "OPTIONS", hs.URL+"/elsewhere", "", "Origin", "https://app.example")
			if got := corsHeaders(outside.header); len(got) > 0 || outside.status != 404 {
				t.Errorf("outside rooms: got %d %v", outside.status, got)
			}
			_, resp := dialWith(t, hs, "/party/x", "Origin", "https://app.example")
			if got := corsHeaders(resp.Header); len(got) > 0 {
				t.Errorf("on a 101: got %v", got)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	opts := []server.Option{
		server.Origins("https://listed.example/", "https://Second.example"),
		server.Rooms(script{message: echo}.define("chat")),
	}
	hs := start(t, opts...)
	own := hs.URL
	for _, test := range []struct {
		name   string
		header []string
		ok     bool
	}{
		{"none", nil, true},
		{"none, with a cookie", []string{"Cookie", "a=1"}, true},
		{"own", []string{"Origin", own}, true},
		{"own, with a cookie", []string{"Origin", own, "Cookie", "a=1"}, true},
		{"foreign", []string{"Origin", "https://other.example"}, true},
		{"foreign, with a cookie", []string{"Origin", "https://other.example", "Cookie", "a=1"}, false},
		{"foreign, with credentials", []string{"Origin", "https://other.example", "Authorization", "Basic eDp5"}, false},
		{"listed, with a cookie", []string{"Origin", "https://listed.example", "Cookie", "a=1"}, true},
		{"listed in another case, with a cookie", []string{"Origin", "https://second.example", "Cookie", "a=1"}, true},
		{"listed, but not its scheme", []string{"Origin", "http://listed.example", "Cookie", "a=1"}, false},
		{"listed, but a subdomain", []string{"Origin", "https://x.listed.example", "Cookie", "a=1"}, false},
		{"opaque, with a cookie", []string{"Origin", "null", "Cookie", "a=1"}, false},
		{"loopback, with a cookie", []string{"Origin", "http://localhost:3000", "Cookie", "a=1"}, false},
		{"malformed, with a cookie", []string{"Origin", "http://[", "Cookie", "a=1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.ok {
				c, _ := dialWith(t, hs, "/party/x", test.header...)
				c.say("x")
				c.want("x")
			} else if got := refused(t, hs, "/party/x", test.header...); got.status != 403 {
				t.Errorf("got %d %q, want 403", got.status, got.body)
			}
		})
	}
	t.Run("every origin", func(t *testing.T) {
		hs := start(t, append(opts, server.Origins("*"))...)
		dialWith(t, hs, "/party/x", "Origin", "https://other.example", "Cookie", "a=1")
	})
	t.Run("loopback in dev", func(t *testing.T) {
		p, hs := serve(t, platform.Options{Dev: true})
		p.SetHost(host(t, party.HostOptions{}, script{message: echo}.define("chat")))
		for _, origin := range []string{"http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:1", "http://app.localhost"} {
			dialWith(t, hs, "/party/x", "Origin", origin, "Cookie", "a=1")
		}
		if got := refused(t, hs, "/party/x", "Origin", "http://localhost.example", "Cookie", "a=1"); got.status != 403 {
			t.Errorf("got %d, want 403", got.status)
		}
	})
}

// TestCORSIsOverWhatRoomsSay shows which answers get the headers, and that a preflight wakes nobody.
func TestCORSIsOverWhatRoomsSay(t *testing.T) {
	var hooked, woken atomic.Int32
	app := &party.App{
		Rooms: []party.Definition{script{
			start: func(context.Context, *scripted) error { woken.Add(1); return nil },
			request: func(_ *scripted, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Access-Control-Allow-Origin", "https://room.example")
				w.Header().Set("Vary", "Accept")
				if r.URL.Query().Has("panic") {
					panic("boom")
				}
				fmt.Fprint(w, "room")
			},
		}.define("chat")},
		BeforeRequest: []party.BeforeHook{{Func: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) (*http.Request, error) {
			hooked.Add(1)
			switch r.URL.Query().Get("do") {
			case "answer":
				w.Header().Set("Access-Control-Allow-Methods", "TRACE")
				fmt.Fprint(w, "hook")
				return nil, nil
			case "error":
				return nil, errors.New("who are you?")
			}
			return r, nil
		}}},
	}
	cors := &manifest.CORS{Origins: []string{"https://app.example"}, Headers: map[string]string{"Access-Control-Allow-Methods": "GET"}}
	inBothForms(t, app, platform.Options{CORS: cors}, party.HostOptions{}, func(t *testing.T, hs *httptest.Server) {
		hooked.Store(0)
		woken.Store(0)
		want := map[string]string{"Allow-Origin": "https://app.example", "Allow-Methods": "GET"}
		check := func(a answer, status int, want map[string]string) {
			t.Helper()
			if diff := cmp.Diff(corsHeaders(a.header), want); diff != "" || a.status != status {
				t.Errorf("got %d %q, want %d, headers (-got +want):\n%s", a.status, a.body, status, diff)
			}
		}
		ask := func(method, path string) answer {
			t.Helper()
			return fetch(t, method, hs.URL+path, "", "Origin", "https://app.example")
		}
		check(ask("OPTIONS", "/party/x"), 200, want)
		if hooked.Load() != 0 || woken.Load() != 0 {
			t.Errorf("a preflight ran %d hooks and woke %d rooms", hooked.Load(), woken.Load())
		}
		got := ask("GET", "/party/x")
		check(got, 200, want)
		if diff := cmp.Diff(got.header["Vary"], []string{"Accept", "Origin"}); diff != "" {
			t.Errorf("Vary (-got +want):\n%s", diff)
		}
		check(ask("GET", "/party/x?do=answer"), 200, want)
		check(ask("GET", "/party/x?do=error"), 401, want)
		check(ask("GET", "/party/x?panic"), 500, want)
		check(ask("OPTIONS", "/parties/nope/x"), 404, map[string]string{})
		check(fetch(t, "GET", hs.URL+"/party/x?do=error", "", "Origin", "https://other.example"), 401, map[string]string{})
	})
}
