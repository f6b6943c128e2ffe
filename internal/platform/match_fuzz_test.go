package platform

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/storage"
)

// FuzzMatch looks for URLs that are taken for rooms that cannot be, and for rooms that their own URL does not lead to.
func FuzzMatch(f *testing.F) {
	for _, path := range []string{
		"/", "/parties", "/parties/", "/parties/chat", "/parties/chat/", "/parties/chat/lobby", "/parties/CHAT/lobby/sub?x=1", "/party/lobby", "/parties/main/x",
		"/parties/none/x", "/parties/chat/%", "/parties/chat/%ff", "/parties/chat/%2F", "/parties/chat/a%20b", "/parties/chat/%00", "/parties/%63hat/x", "/a/b/chat/x",
		"/parties//x", "/parties/chat//x", "//parties/chat/x", "/parties/chat/" + strings.Repeat("x", 600),
	} {
		f.Add(path, "lobby")
	}
	f.Add("/", "ä/b?c#d%2F\x00 ")
	f.Add("/", "..")
	rt := newRoutes(link.Info{Parties: []link.Party{{Name: "chat", Main: true}, {Name: "http-room"}}})
	f.Fuzz(func(t *testing.T, path, room string) {
		for _, prefix := range []string{"parties", "a/b"} {
			p := &Platform{opts: Options{Prefix: prefix, Dev: true}, limits: withDefaults(manifest.Limits{})}
			party, key, err := p.match(rt, path)
			var bad *badRoute
			switch {
			case err != nil && (!errors.As(err, &bad) || bad.status != 400 && bad.status != 404 || !strings.HasSuffix(bad.text, "\n")):
				t.Errorf("%q: error %v", path, err)
			case err == nil && key.Party != "" && (rt.parties[key.Party].Name != party.Name || key.Party != party.Name):
				t.Errorf("%q: party %q for room %v", path, party.Name, key)
			case err == nil && key.Party != "" && (key.Name == "" || len(key.Name) > p.limits.RoomNameBytes || !utf8.ValidString(key.Name)):
				t.Errorf("%q: room name %q", path, key.Name)
			}
			if room == "" || len(room) > p.limits.RoomNameBytes || !utf8.ValidString(room) {
				continue
			}
			want := storage.Room{Party: "http-room", Name: room}
			for _, below := range []string{"/", "/sub/path?q=1"} {
				u := p.roomURL(want, httptest.NewRequest(http.MethodGet, below, nil))
				again, err := url.Parse(u.String())
				if err != nil {
					t.Fatalf("room %q: its URL %q: %v", room, u, err)
				}
				if _, got, err := p.match(rt, again.EscapedPath()); err != nil || got != want {
					t.Errorf("room %q: its URL %q leads to %v, %v", room, u, got, err)
				}
			}
		}
	})
}
