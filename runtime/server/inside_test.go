package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// caller calls the rooms that its requests name, one after the other.
type caller struct {
	party.Room
	greeting string
}

func (c *caller) OnStart(ctx context.Context) error {
	if target, ok := strings.CutPrefix(c.Name(), "starts-with-"); ok {
		if _, err := c.call(ctx, target, ""); err != nil {
			c.greeting = err.Error()
		}
		return nil
	}
	_, err := c.Props(&c.greeting)
	return err
}

func (c *caller) call(ctx context.Context, room, rest string, opts ...party.StubOption) (string, error) {
	r, err := http.NewRequest("GET", rest, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Lobby().Party("caller").Get(room, opts...).Fetch(ctx, r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func (c *caller) OnRequest(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	next, rest, _ := strings.Cut(q.Get("via"), ",")
	if next == "" {
		fmt.Fprintf(w, "%s says %q at %s", c.Name(), c.greeting, r.URL.Path)
		return
	}
	path := "/"
	if rest != "" {
		path = "/?via=" + rest
	}
	if rest == "forever" {
		path = "/?via=" + next + ",forever"
	}
	answer, err := c.call(r.Context(), next, path, party.Props("from "+c.Name()))
	if err != nil {
		fmt.Fprintf(w, "%s: %v", c.Name(), err)
		return
	}
	fmt.Fprintf(w, "%s: %s", c.Name(), answer)
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCallsBetweenRooms(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[caller]("caller")))
	for _, c := range []struct{ name, path, want string }{
		{"another room, with props for its start", "/parties/caller/a?via=b", `a: b says "from a" at /parties/caller/b`},
		{"props in any language", "/parties/caller/%C3%BC%22%F0%9F%8E%88?via=p", `ü"🎈: p says "from ü\"🎈" at /parties/caller/p`},
		{"itself", "/parties/caller/self?via=self", `self: self says "" at /parties/caller/self`},
		{"in a circle that ends", "/parties/caller/c?via=d,c", `c: d: c says "" at /parties/caller/c`},
		{"one that calls another in its OnStart", "/parties/caller/starts-with-e", `starts-with-e says "" at /parties/caller/starts-with-e`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := get(t, hs.URL+c.path); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// starter calls itself while it starts.
type starter struct {
	party.Room
	err error
}

func (s *starter) OnStart(ctx context.Context) error {
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		return err
	}
	_, s.err = s.Lobby().Party("starter").Get(s.Name()).Fetch(ctx, r)
	return nil
}

func (s *starter) OnRequest(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s.err) }

func TestCircleInOnStartIsAnError(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[starter]("starter")))
	got := get(t, hs.URL+"/parties/starter/me")
	if want := "rooms call each other in a circle: starter/me → starter/me"; !strings.Contains(got, want) {
		t.Errorf("got %q, want it to contain %q", got, want)
	}
}

func TestEndlessCircleIsAnError(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[caller]("caller")))
	got := get(t, hs.URL+"/parties/caller/a?via=b,forever")
	if want := "rooms call each other in a circle"; !strings.Contains(got, want) {
		t.Errorf("got %q, want it to contain %q", got, want)
	}
}

func TestPropsFromOutsideAreStripped(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[caller]("caller")))
	r, err := http.NewRequest("GET", hs.URL+"/parties/caller/victim", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Party-Props", "ImV2aWwi") // "evil"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if want := `victim says "" at /parties/caller/victim`; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

// dialer opens a socket to itself: when it starts, or when somebody connects to it.
type dialer struct {
	party.Room
	err error
}

func (d *dialer) OnStart(ctx context.Context) error {
	if d.Name() == "starting" {
		d.dial(ctx)
	}
	return nil
}

func (d *dialer) OnConnect(ctx context.Context, _ *party.Conn, _ *http.Request) error {
	if d.Name() == "connecting" {
		d.dial(ctx)
	}
	return nil
}

func (d *dialer) dial(ctx context.Context) {
	if _, err := d.Lobby().Party("dialer").Get(d.Name()).Dial(ctx); err != nil {
		d.err = err
	}
}

func (d *dialer) OnRequest(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, d.err) }

// TestCirclesOfSocketsAreErrors dials in circles, which would wait for each other or go on for ever.
func TestCirclesOfSocketsAreErrors(t *testing.T) {
	hs := start(t, quiet(), server.Rooms(party.Define[dialer]("dialer")))
	const circle = "rooms call each other in a circle: "
	if got, want := get(t, hs.URL+"/parties/dialer/starting"), circle+"dialer/starting → dialer/starting"; !strings.Contains(got, want) {
		t.Errorf("got %q, want …%s…", got, want)
	}
	dial(t, hs, "/parties/dialer/connecting")
	want := circle + "dialer/connecting" + strings.Repeat(" → dialer/connecting", 32)
	if got := get(t, hs.URL+"/parties/dialer/connecting"); !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want …%s…", got, want)
	}
}
