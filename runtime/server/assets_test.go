package server_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
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

// Code outside rooms reads assets; rooms do not.
func TestLobbyAsset(t *testing.T) {
	inRoom := make(chan error, 1)
	room := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		_, err := r.Lobby().Asset(req.Context(), "/page.html")
		inRoom <- err
	}}
	app := &party.App{
		Rooms: []party.Definition{room.define("a")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			data, err := lobby.Asset(r.Context(), r.URL.Query().Get("path"))
			if err != nil {
				fmt.Fprint(w, errors.Is(err, fs.ErrNotExist), " ", err)
				return
			}
			fmt.Fprintf(w, "<%s>", data)
		},
	}
	hs := start(t, server.App(app), server.Assets(fstest.MapFS{"page.html": {Data: []byte("page")}, ".env": {Data: []byte("secret")}}))
	visit(t, hs.URL+"/render?path=/page.html").check(t, 200, "<page>")
	for _, path := range []string{"/none", "/.env"} {
		visit(t, hs.URL+"/render?path="+path).check(t, 200, "true open "+path+": file does not exist")
	}
	visit(t, hs.URL+"/render?path=page.html").check(t, 200, `false asset "page.html": the path must start with /`)
	visit(t, hs.URL+"/parties/a/x")
	if err := within(t, inRoom, "the room"); err == nil || !strings.Contains(err.Error(), "outside rooms only") {
		t.Errorf("in a room: got %v", err)
	}
}
