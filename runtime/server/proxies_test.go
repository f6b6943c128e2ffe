package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestTrustedProxies shows whose word is taken for who the client is.
func TestTrustedProxies(t *testing.T) {
	seen := func(r *http.Request) string {
		return fmt.Sprint(r.RemoteAddr, " ", r.Host, " ", r.TLS != nil, " ", r.Header.Get("X-Forwarded-For"))
	}
	s := script{
		request: func(_ *scripted, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, seen(r)) },
		connect: func(_ context.Context, _ *scripted, c *party.Conn, r *http.Request) error {
			return c.Send(party.Text(c.URI() + " " + r.RemoteAddr))
		},
	}
	header := []string{"X-Forwarded-For", "6.6.6.6, 203.0.113.5", "X-Forwarded-Host", "chat.example.com", "X-Forwarded-Proto", "https"}
	with := func(opts ...server.Option) string {
		hs := start(t, append(opts, server.Rooms(s.define("chat")))...)
		c, _ := dialWith(t, hs, "/party/x?_pk=a", header...)
		_, greeting, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		return visit(t, hs.URL+"/party/x", header...).body + "\n" + string(greeting) + "\n" + strings.TrimPrefix(hs.URL, "http://")
	}
	const trusted = "203.0.113.5:0 chat.example.com true 6.6.6.6, 203.0.113.5\nwss://chat.example.com/party/x?_pk=a 203.0.113.5:0\n"
	for _, list := range [][]string{{"loopback"}, {"unix", "127.0.0.1"}, {"127.0.0.0/8"}} {
		if got := with(server.TrustProxies(list...)); !strings.HasPrefix(got, trusted) {
			t.Errorf("trusting %v: got %q, want %q", list, got, trusted)
		}
	}
	for _, list := range [][]string{nil, {"unix"}, {"10.0.0.0/8", "203.0.113.5"}} {
		got := with(server.TrustProxies(list...))
		here := got[strings.LastIndexByte(got, '\n')+1:]
		for _, want := range []string{"127.0.0.1:", " " + here + " false 6.6.6.6, 203.0.113.5\n", "ws://" + here + "/party/x?_pk=a 127.0.0.1:"} {
			if !strings.Contains(got, want) {
				t.Errorf("trusting %v: got %q, want %q in it", list, got, want)
			}
		}
	}
	if _, err := server.New(server.TrustProxies("somebody"), server.Rooms(s.define("chat"))); err == nil {
		t.Error("a proxy that is none: got no error")
	}
}
