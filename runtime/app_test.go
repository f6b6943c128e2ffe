package party

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestJoin(t *testing.T) {
	answer := func(name string) func(http.ResponseWriter, *http.Request, *Lobby) {
		return func(w http.ResponseWriter, _ *http.Request, _ *Lobby) { w.Header().Set("By", name) }
	}
	rooms := func(name string) []Definition {
		return []Definition{{Name: name, Type: name, New: func() Instance { return Instance{} }}}
	}
	parts := []*App{
		{Generated: GeneratedVersion, Rooms: rooms("b"), BeforeConnect: []BeforeHook{{Party: "b"}}, Crons: []CronHook{{Name: "nightly"}}},
		{Rooms: rooms("c"), Fetch: answer("c"), BeforeRequest: []BeforeHook{{Party: "c"}}, Errors: []KnownError{ErrorValue("x", context.Canceled)}},
		{Rooms: rooms("d"), Fetch: answer("d")},
	}
	own := App{Generated: GeneratedVersion, Rooms: rooms("a"), Migrations: []Migration{{Tag: "v1"}}}
	app := Join(own, parts...)
	var names []string
	for _, d := range app.Rooms {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "a b c d" {
		t.Errorf("rooms %q, want a b c d", got)
	}
	if len(app.BeforeConnect) != 1 || len(app.BeforeRequest) != 1 || len(app.Crons) != 1 || len(app.Errors) != 1 || len(app.Migrations) != 1 {
		t.Errorf("Join lost something: %+v", app)
	}
	if len(own.Rooms) != 1 || len(parts[0].Rooms) != 1 {
		t.Error("Join changed what it was given")
	}
	h := make(http.Header)
	app.Fetch(headers{h}, nil, nil)
	if h.Get("By") != "c" {
		t.Errorf("Fetch is that of %q, want the first, c", h.Get("By"))
	}
	if app.Generated != GeneratedVersion {
		t.Errorf("generated for version %d, want %d", app.Generated, GeneratedVersion)
	}
	// One part that is out of date keeps the host from starting.
	parts[2].Generated = GeneratedVersion + 1
	if app := Join(own, parts...); app.Generated != GeneratedVersion+1 {
		t.Errorf("generated for version %d, want the odd one, %d", app.Generated, GeneratedVersion+1)
	}
}

// headers is a response of which only the headers count.
type headers struct{ h http.Header }

func (w headers) Header() http.Header       { return w.h }
func (headers) Write(p []byte) (int, error) { return len(p), nil }
func (headers) WriteHeader(int)             {}
