package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// The order for what is no room: assets, the cron endpoint in dev, index.html for navigations, the fetch function, 404.html.
func TestAssetsComeBeforeTheFetchFunction(t *testing.T) {
	files := fstest.MapFS{"index.html": {Data: []byte("index")}, "a.js": {Data: []byte("a")}, "404.html": {Data: []byte("none")}}
	for _, spa := range []bool{false, true} {
		ran := make(chan struct{}, 1)
		app := &party.App{
			Rooms: []party.Definition{script{request: say("room")}.define("a")},
			Fetch: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) {
				if r.URL.Path != "/fallen.js" {
					fmt.Fprint(w, "fetched")
				}
			},
			Crons: []party.CronHook{{Name: "tick", Func: func(context.Context, party.Tick, *party.Lobby) error { ran <- struct{}{}; return nil }}},
		}
		h, err := party.NewHost(app, party.HostOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p, hs := serve(t, platform.Options{Assets: files, SinglePageApp: spa, Dev: true, Crons: map[string]string{"tick": "@yearly"}})
		p.SetHost(h)
		navigation := "fetched"
		if spa {
			navigation = "index"
		}
		visit(t, hs.URL+"/a.js").check(t, 200, "a")
		visit(t, hs.URL+"/").check(t, 200, "index")
		visit(t, hs.URL+"/parties/a/x").check(t, 200, "room")
		visit(t, hs.URL+"/login/ada").check(t, 200, navigation)
		visit(t, hs.URL+"/none.js").check(t, 200, "fetched")
		visit(t, hs.URL+"/fallen.js").check(t, 404, "none")
		fetch(t, "POST", hs.URL+"/a.js", "").check(t, 200, "fetched")
		visit(t, hs.URL+"/__scheduled__?cron=tick").check(t, 200, "ran cron tick: @yearly\n")
		within(t, ran, "the cron function")
	}
}

func TestAssetsCanBeKept(t *testing.T) {
	hs := start(t, server.Rooms(script{}.define("a")), server.Assets(fstest.MapFS{"a.js": {Data: []byte("a")}}), server.CacheAssets(time.Minute, -1))
	if got, want := visit(t, hs.URL+"/a.js").header.Get("Cache-Control"), "public, max-age=60"; got != want {
		t.Errorf("got Cache-Control %q, want %q", got, want)
	}
}

// TestLobbyAsset reads assets in rooms, in functions and in between.
func TestLobbyAsset(t *testing.T) {
	read := func(w io.Writer, r *http.Request, lobby *party.Lobby) {
		data, err := lobby.Asset(r.Context(), r.URL.Query().Get("path"))
		if err != nil {
			fmt.Fprint(w, errors.Is(err, fs.ErrNotExist), " ", err)
			return
		}
		fmt.Fprintf(w, "<%.10s> %d", data, len(data))
	}
	room := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if !req.URL.Query().Has("await") {
			read(w, req, r.Lobby())
			return
		}
		if err := r.Await(req.Context(), func(context.Context) error { read(w, req, r.Lobby()); return nil }); err != nil {
			t.Error(err)
		}
	}}
	app := &party.App{
		Rooms: []party.Definition{room.define("a")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) { read(w, r, lobby) },
		Socket: func(ctx context.Context, c *party.Conn, r *http.Request, lobby *party.Lobby) error {
			var text strings.Builder
			read(&text, r, lobby)
			return c.Send(party.Text(text.String()))
		},
		BeforeRequest: []party.BeforeHook{{Func: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
			if r.URL.Query().Has("hook") {
				read(w, r, lobby)
				return nil, nil
			}
			return r, nil
		}}},
	}
	large := bytes.Repeat([]byte("large "), 1<<20)
	files := fstest.MapFS{"page.html": {Data: []byte("page")}, "large": {Data: large}, ".env": {Data: []byte("secret")}}
	inBothForms(t, app, platform.Options{Assets: files}, party.HostOptions{}, func(t *testing.T, hs *httptest.Server) {
		for _, place := range []string{"/render?", "/parties/a/x?", "/parties/a/x?await&", "/parties/a/x?hook&"} {
			for _, test := range []struct{ path, want string }{
				{"/page.html", "<page> 4"},
				{"/large", fmt.Sprintf("<large larg> %d", len(large))},
				{"/none", "true open /none: file does not exist"},
				{"/.env", "true open /.env: file does not exist"},
				{"page.html", `false asset "page.html": the path must start with /`},
			} {
				visit(t, hs.URL+place+"path="+test.path).check(t, 200, test.want)
			}
		}
		c := dial(t, hs, "/socket?path=/page.html")
		c.want("<page> 4")
	})
}
