package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// recorder is the wrapper of a middleware that counts bytes and can be unwrapped, and no more.
type recorder struct {
	http.ResponseWriter
	status, bytes int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.bytes += len(b)
	return w.ResponseWriter.Write(b)
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// hijackable is the wrapper of a middleware that passes on each ability that it has heard of.
type hijackable struct{ http.ResponseWriter }

func (w *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}
func (w *hijackable) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// opaque is the wrapper of a middleware that has not heard of WebSockets.
type opaque struct{ http.ResponseWriter }

// late holds the status back until something is written, and has a 404 ready for what nobody
// answers, as gin does where no route matches.
type late struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *late) WriteHeader(status int) { w.status = status }
func (w *late) now() {
	if !w.written {
		w.written = true
		w.ResponseWriter.WriteHeader(w.status)
	}
}

func (w *late) Write(b []byte) (int, error) {
	w.now()
	return w.ResponseWriter.Write(b)
}

func (w *late) Flush() {
	w.now()
	w.ResponseWriter.(http.Flusher).Flush()
}

func (w *late) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.written = true
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// wrapping is a middleware.
func wrapping(wrap func(http.ResponseWriter) http.ResponseWriter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrap(w), r) })
}

// mounts are ways to put a server into a program that has routes of its own.
var mounts = map[string]func(rooms *server.Server, own http.Handler) http.Handler{
	"mux": func(rooms *server.Server, own http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/parties/", rooms)
		mux.Handle("/party/", rooms)
		mux.Handle("/", own)
		return mux
	},
	"middleware": func(rooms *server.Server, own http.Handler) http.Handler { return rooms.Middleware(own) },
	"below a wrapper that unwraps": func(rooms *server.Server, own http.Handler) http.Handler {
		return wrapping(func(w http.ResponseWriter) http.ResponseWriter { return &recorder{ResponseWriter: w} }, rooms.Middleware(own))
	},
	"below a wrapper that hijacks": func(rooms *server.Server, own http.Handler) http.Handler {
		return wrapping(func(w http.ResponseWriter) http.ResponseWriter { return &hijackable{w} }, rooms.Middleware(own))
	},
	"where nothing else matches": func(rooms *server.Server, own http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w := &late{ResponseWriter: rw, status: http.StatusNotFound}
			if r.URL.Path == "/own" || r.URL.Path == "/own/socket" {
				w.status = http.StatusOK
				own.ServeHTTP(w, r)
				return
			}
			rooms.ServeHTTP(w, r)
			w.now()
		})
	},
}

// ownRoutes is the program's own part: a page, a socket, and 404.
func ownRoutes(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/own":
			fmt.Fprint(w, "own page")
		case "/own/socket":
			ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				t.Errorf("the program's own socket: %v", err)
				return
			}
			defer ws.Close()
			ws.WriteMessage(websocket.TextMessage, []byte("own socket"))
		default:
			http.NotFound(w, r)
		}
	})
}

func mountedApp() *party.App {
	waiting := script{
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			if req.URL.Query().Has("slow") {
				fmt.Fprint(w, "begun ")
				w.(http.Flusher).Flush()
				r.Await(req.Context(), func(ctx context.Context) error { <-ctx.Done(); return nil })
			}
			fmt.Fprintf(w, "%s at %s", r.Name(), req.URL.RequestURI())
		},
		message: echo,
	}
	return &party.App{
		Rooms: []party.Definition{waiting.define("chat", party.AsMain()), waiting.define("guarded")},
		Fetch: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) {
			if r.URL.Path == "/party/" {
				fmt.Fprint(w, "fetched") // and no WriteHeader
			}
		},
		BeforeConnect: []party.BeforeHook{{Party: "guarded", Func: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) (*http.Request, error) {
			w.Header().Set("Location", "/login?from=guarded")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusSeeOther)
			fmt.Fprint(w, `{"title":"log in first"}`)
			return nil, nil
		}}},
	}
}

func TestMountedOnRouters(t *testing.T) {
	for name, mount := range mounts {
		t.Run(name, func(t *testing.T) {
			rooms, err := server.New(quiet(), server.Grace(time.Millisecond), server.App(mountedApp()))
			if err != nil {
				t.Fatal(err)
			}
			hs := httptest.NewServer(mount(rooms, ownRoutes(t)))
			t.Cleanup(hs.Close)

			visit(t, hs.URL+"/own").check(t, 200, "own page")
			dial(t, hs, "/own/socket").want("own socket")
			visit(t, hs.URL+"/parties/chat/x").check(t, 200, "x at /parties/chat/x")
			visit(t, hs.URL+"/party/a%2Fb/sub?q=1").check(t, 200, "a/b at /party/a%2Fb/sub?q=1")
			visit(t, hs.URL+"/party/").check(t, 200, "fetched")
			visit(t, hs.URL+"/parties/nope/x").check(t, 404, "party not found\n")
			if got := visit(t, hs.URL+"/nothing"); got.status != 404 {
				t.Errorf("nobody's: got %d %q", got.status, got.body)
			}
			c := dial(t, hs, "/party/x?_pk=ada")
			c.say("hello")
			c.want("hello")

			got := refused(t, hs, "/parties/guarded/x")
			got.check(t, 303, `{"title":"log in first"}`)
			for k, want := range map[string]string{"Location": "/login?from=guarded", "Set-Cookie": "a=1 b=2", "Content-Type": "application/problem+json", "Content-Length": "24"} {
				if v := strings.Join(got.header[k], " "); v != want {
					t.Errorf("refused: got %s %q, want %q", k, v, want)
				}
			}

			resp, err := http.Get(hs.URL + "/party/x?slow")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body := bufio.NewReader(resp.Body)
			if part, err := body.ReadString(' '); part != "begun " {
				t.Fatalf("got %q, %v", part, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- rooms.Shutdown(ctx) }()
			c.wantClose(1012, "server is shutting down")
			if err := within(t, ended, "Shutdown"); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if rest, err := body.ReadString('\n'); !strings.HasPrefix(rest, "x at ") {
				t.Errorf("the request that was under way: got %q, %v", rest, err)
			}
			if got := visit(t, hs.URL+"/party/x"); got.status != 503 {
				t.Errorf("after Shutdown: got %d %q", got.status, got.body)
			}
		})
	}
}

// TestMiddlewareThatCannotHijack says what is wrong to whoever can mend it, and shows the room nothing.
func TestMiddlewareThatCannotHijack(t *testing.T) {
	var log logged
	connects := make(chan string, 10)
	rooms, err := server.New(log.option(), server.Rooms(script{
		connect: func(_ context.Context, _ *scripted, c *party.Conn, _ *http.Request) error {
			connects <- c.ID()
			return nil
		},
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, "part ")
			w.(http.Flusher).Flush()
			r.Await(req.Context(), func(context.Context) error { return nil })
			fmt.Fprint(w, "rest")
		},
	}.define("chat")))
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(wrapping(func(w http.ResponseWriter) http.ResponseWriter { return &opaque{w} }, rooms))
	t.Cleanup(hs.Close)
	visit(t, hs.URL+"/party/x").check(t, 200, "part rest")
	got := refused(t, hs, "/party/x")
	id := got.header.Get("X-Request-Id")
	got.check(t, 500, "internal error, request "+id+"\n")
	if text := log.String(); id == "" || !strings.Contains(text, id) || !strings.Contains(text, "neither Hijack nor Unwrap") {
		t.Errorf("logged: %s", text)
	}
	if len(connects) > 0 {
		t.Errorf("the room has seen %s", <-connects)
	}
	if err := rooms.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRefusedUpgradeIsPassedThrough compares what a client gets with what the hook wrote, wherever the hook runs.
func TestRefusedUpgradeIsPassedThrough(t *testing.T) {
	app := mountedApp()
	inBothForms(t, app, platform.Options{CORS: &manifest.CORS{Headers: map[string]string{"Access-Control-Allow-Origin": "*"}}}, party.HostOptions{}, func(t *testing.T, hs *httptest.Server) {
		got := refused(t, hs, "/parties/guarded/x", "Origin", "https://elsewhere.example")
		got.check(t, 303, `{"title":"log in first"}`)
		got.header.Del("Date")
		want := http.Header{
			"Location": {"/login?from=guarded"}, "Set-Cookie": {"a=1", "b=2"},
			"Content-Type": {"application/problem+json"}, "Content-Length": {"24"},
		}
		if diff := cmp.Diff(got.header, want); diff != "" {
			t.Errorf("headers (-got +want):\n%s", diff)
		}
	})
}

// TestMountedBelowAPath shows rooms the URL without what the program has put in front.
func TestMountedBelowAPath(t *testing.T) {
	room := script{
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			fmt.Fprintf(w, "%s at %s", r.Name(), req.URL.RequestURI())
		},
		connect: func(_ context.Context, r *scripted, c *party.Conn, _ *http.Request) error {
			return c.Send(party.Text(r.Name() + " at " + c.URI()))
		},
	}
	rooms, err := server.New(server.Prefix("live/rooms"), server.Rooms(room.define("chat")))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", rooms))
	hs := httptest.NewServer(mux)
	t.Cleanup(hs.Close)
	visit(t, hs.URL+"/api/v1/live/rooms/chat/a%2Fb/sub?q=1").check(t, 200, "a/b at /live/rooms/chat/a%2Fb/sub?q=1")
	c := dial(t, hs, "/api/v1/party/x?_pk=ada")
	c.want("x at ws" + strings.TrimPrefix(hs.URL, "http") + "/party/x?_pk=ada")
	c.leave(1000, "")
	if got := visit(t, hs.URL+"/live/rooms/chat/x"); got.status != 404 {
		t.Errorf("without the path in front: got %d %q", got.status, got.body)
	}
	if err := rooms.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOwnRoutesGoOnWhileRoomsEnd shuts rooms down in front of a program whose HTTP server goes on for a while.
func TestOwnRoutesGoOnWhileRoomsEnd(t *testing.T) {
	app := mountedApp()
	app.Fetch = nil
	files := server.Assets(fstest.MapFS{"app.js": {Data: []byte("js")}})
	rooms, err := server.New(quiet(), files, server.App(app))
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(rooms.Middleware(ownRoutes(t)))
	t.Cleanup(hs.Close)
	visit(t, hs.URL+"/party/x").check(t, 200, "x at /party/x")
	if err := rooms.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	visit(t, hs.URL+"/own").check(t, 200, "own page")
	dial(t, hs, "/own/socket").want("own socket")
	visit(t, hs.URL+"/app.js").check(t, 200, "js")
	for _, path := range []string{"/party/x", "/parties/nope/x"} {
		got := visit(t, hs.URL+path)
		got.check(t, 503, "the server is shutting down\n")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	if got := refused(t, hs, "/party/x"); got.status != 503 {
		t.Errorf("upgrade: got %d", got.status)
	}
}
