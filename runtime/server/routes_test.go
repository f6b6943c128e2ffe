package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// whoAmI answers with how a room sees its address.
var whoAmI = script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
	fmt.Fprintf(w, "%s|%s|%s", r.Party(), r.Name(), req.URL.RequestURI())
}}

func TestRoomURLs(t *testing.T) {
	long := strings.Repeat("x", 512)
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/parties/chat/lobby", 200, "chat|lobby|/parties/chat/lobby"},
		{"/parties/chat/lobby/", 200, "chat|lobby|/parties/chat/lobby/"},
		{"/parties/chat/lobby/a/b?q=1&_pk=x", 200, "chat|lobby|/parties/chat/lobby/a/b?q=1&_pk=x"},
		{"/parties/CHAT/Lobby", 200, "chat|Lobby|/parties/CHAT/Lobby"},
		{"/parties/other/lobby", 200, "other|lobby|/parties/other/lobby"},
		{"/parties/main/lobby", 200, "chat|lobby|/parties/main/lobby"},
		{"/party/lobby", 200, "chat|lobby|/party/lobby"},
		{"/party/lobby/a/b?q", 200, "chat|lobby|/party/lobby/a/b?q"},
		{"/parties/chat/a%20b", 200, "chat|a b|/parties/chat/a%20b"},
		{"/parties/chat/a%2Fb/c", 200, "chat|a/b|/parties/chat/a%2Fb/c"},
		{"/parties/chat/a+b", 200, "chat|a+b|/parties/chat/a+b"},
		{"/parties/chat/%C3%BCber", 200, "chat|über|/parties/chat/%C3%BCber"},
		{"/parties/chat/%2500", 200, "chat|%00|/parties/chat/%2500"},
		{"/parties/chat/" + long, 200, "chat|" + long + "|/parties/chat/" + long},
		{"/parties/chat/" + long + "x", 400, "room name is longer than 512 bytes\n"},
		{"/parties/chat/" + strings.Repeat("%C3%BC", 257), 400, "room name is longer than 512 bytes\n"},
		{"/parties/chat/%FF", 400, "room name is not valid UTF-8\n"},
		{"/parties/chat/%C3", 400, "room name is not valid UTF-8\n"},
		{"/parties/nope/lobby", 404, "party not found\n"},
		{"/parties/nope/%FF", 404, "party not found\n"},
		{"/parties/chat", 404, "Not found\n"},
		{"/parties/chat/", 404, "Not found\n"},
		{"/parties/chat//x", 404, "Not found\n"},
		{"/parties//lobby", 404, "Not found\n"},
		{"/parties", 404, "Not found\n"},
		{"/partiesx/chat/lobby", 404, "Not found\n"},
		{"/party/", 404, "Not found\n"},
		{"/party", 404, "Not found\n"},
		{"/", 404, "Not found\n"},
	} {
		t.Run(test.path[:min(len(test.path), 60)], func(t *testing.T) {
			hs := start(t, quiet(), server.Rooms(whoAmI.define("chat", party.AsMain()), whoAmI.define("other")))
			visit(t, hs.URL+test.path).check(t, test.status, test.body)
		})
	}
}

func TestPrefix(t *testing.T) {
	hs := start(t, server.Prefix("api/v1/rooms"), server.Rooms(whoAmI.define("chat")))
	visit(t, hs.URL+"/api/v1/rooms/chat/lobby/x").check(t, 200, "chat|lobby|/api/v1/rooms/chat/lobby/x")
	visit(t, hs.URL+"/party/lobby").check(t, 200, "chat|lobby|/party/lobby")
	visit(t, hs.URL+"/parties/chat/lobby").check(t, 404, "Not found\n")
	visit(t, hs.URL+"/api/v1/roomsx/chat/lobby").check(t, 404, "Not found\n")
}

// TestOptionsThatWouldMatchNothing are errors when the server is made.
func TestOptionsThatWouldMatchNothing(t *testing.T) {
	for _, test := range []struct {
		option server.Option
		want   string // part of the error, "" for none
	}{
		{server.Prefix("/rooms"), `the prefix of room URLs must be URL segments without outer slashes, not "/rooms"`},
		{server.Prefix("rooms/"), `not "rooms/"`},
		{server.Prefix("a//b"), `not "a//b"`},
		{server.Prefix("a b"), `not "a b"`},
		{server.Prefix("_party"), "must be something other than _party"},
		{server.Prefix(""), ""},
		{server.Origins("app.example"), `what opens sockets must be an origin such as "https://example.com"`},
		{server.Origins("https://app.example/path"), `not "https://app.example/path"`},
		{server.Origins("https://App.example/", "*"), ""},
	} {
		s, err := server.New(test.option, server.Rooms(whoAmI.define("chat")))
		if err == nil {
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("got error %v, want …%s…", err, test.want)
		}
	}
}

func TestMainParty(t *testing.T) {
	t.Run("only room type", func(t *testing.T) {
		hs := start(t, server.Rooms(whoAmI.define("chat")))
		visit(t, hs.URL+"/party/x").check(t, 200, "chat|x|/party/x")
	})
	t.Run("none marked", func(t *testing.T) {
		hs := start(t, server.Rooms(whoAmI.define("a"), whoAmI.define("b")))
		visit(t, hs.URL+"/party/x").check(t, 404, "party not found\n")
	})
}

// TestSocketURLs shows that upgrades are routed like requests.
func TestSocketURLs(t *testing.T) {
	hs := start(t, quiet(), server.Rooms(script{message: echo}.define("chat")))
	c := dial(t, hs, "/parties/Chat/a%2Fb/sub?x=1")
	c.say("hi")
	c.want("hi")
	refused(t, hs, "/parties/nope/x").check(t, 404, "party not found\n")
	refused(t, hs, "/parties/chat/%FF").check(t, 400, "room name is not valid UTF-8\n")
	refused(t, hs, "/parties/chat/").check(t, 404, "Not found\n")
}

func TestUnknownPartyNamesTheOthersInDev(t *testing.T) {
	p, hs := serve(t, platform.Options{Dev: true})
	p.SetHost(host(t, party.HostOptions{}, whoAmI.define("chat"), whoAmI.define("game")))
	visit(t, hs.URL+"/parties/nope/x").check(t, 404, "party \"nope\" not found; there is: chat, game\n")
}

func TestNoOnRequest(t *testing.T) {
	hs := start(t, server.Rooms(script{message: echo}.define("chat")))
	for _, method := range []string{"GET", "POST", "OPTIONS", "DELETE"} {
		fetch(t, method, hs.URL+"/party/x", "").check(t, 404, "Not implemented\n")
	}
}

// TestFallThrough shows who answers what addresses no room: assets, the fetch function, whoever is next.
func TestFallThrough(t *testing.T) {
	app := &party.App{
		Rooms: []party.Definition{whoAmI.define("chat")},
		Fetch: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) {
			if strings.HasPrefix(r.URL.Path, "/f") || r.URL.Path == "/page.html" {
				fmt.Fprint(w, "fetch "+r.Method)
			}
		},
	}
	assets := fstest.MapFS{"page.html": {Data: []byte("asset")}, "favicon.txt": {Data: []byte("icon")}}
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "next") })
	hs := start(t, server.App(app), server.Assets(assets), server.Fallback(next))
	visit(t, hs.URL+"/page.html").check(t, 200, "asset")
	visit(t, hs.URL+"/favicon.txt").check(t, 200, "icon")
	fetch(t, "POST", hs.URL+"/page.html", "").check(t, 200, "fetch POST")
	visit(t, hs.URL+"/f").check(t, 200, "fetch GET")
	visit(t, hs.URL+"/other").check(t, 200, "next")
	visit(t, hs.URL+"/parties/chat/").check(t, 200, "next")
	visit(t, hs.URL+"/parties/nope/x").check(t, 404, "party not found\n")
}

// TestMounted shows the server on somebody else's mux.
func TestMounted(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "user's own") })
	hs := start(t, server.Rooms(whoAmI.define("chat")), server.Fallback(mux))
	visit(t, hs.URL+"/hello").check(t, 200, "user's own")
	visit(t, hs.URL+"/party/a").check(t, 200, "chat|a|/party/a")
	visit(t, hs.URL+"/nothing").check(t, 404, "404 page not found\n")
}
