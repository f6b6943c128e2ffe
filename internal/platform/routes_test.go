package platform

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

func TestRoomURL(t *testing.T) {
	p := &Platform{opts: Options{Prefix: "api/rooms"}}
	for _, test := range []struct{ room, in, want string }{
		{"x", "/", "/api/rooms/chat/x"},
		{"x", "", "/api/rooms/chat/x"},
		{"x", "/a/b?q=1", "/api/rooms/chat/x/a/b?q=1"},
		{"x", "a%2Fb", "/api/rooms/chat/x/a%2Fb"},
		{"a/b c%", "http://elsewhere/y", "/api/rooms/chat/a%2Fb%20c%25/y"},
	} {
		in, err := url.Parse(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.roomURL(storage.Room{Party: "chat", Name: test.room}, &http.Request{URL: in}).RequestURI(); got != test.want {
			t.Errorf("%q with %q: got %q, want %q", test.room, test.in, got, test.want)
		}
	}
}

func TestConnID(t *testing.T) {
	for query, want := range map[string]string{"_pk=a": "a", "_pk=&_pk=b": "b", "_pk=a&_pk=b": "a", "x=1&_pk=%C3%BC": "ü"} {
		q, _ := url.ParseQuery(query)
		if got := connID(q); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if a, b := connID(nil), connID(url.Values{"_pk": {"", ""}}); a == b || len(a) < 20 {
		t.Errorf("generated %q and %q", a, b)
	}
}

func TestStripHeaders(t *testing.T) {
	h := http.Header{}
	for _, name := range []string{"x-party-a", "X-PARTYKIT-B", "X-Party", "X-Partying-C", "X-Other"} {
		h.Set(name, "1")
	}
	stripHeaders(h)
	var left []string
	for name := range h {
		left = append(left, name)
	}
	if got := strings.Join(left, " "); len(left) != 3 || strings.Contains(got, "-A") || strings.Contains(got, "-B") {
		t.Errorf("left: %s", got)
	}
}
