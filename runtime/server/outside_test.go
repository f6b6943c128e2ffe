package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// inner is a room that describes what reaches it.
var inner = script{
	request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.Header().Set("X-Inner", "yes")
		if strings.HasSuffix(req.URL.Path, "/teapot") {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprintf(w, "%s %s %s %s user=%s", r.Name(), req.Method, req.URL.RequestURI(), body, req.Header.Get("X-User"))
	},
	connect: func(_ context.Context, r *scripted, c *party.Conn, req *http.Request) error {
		return c.Send(party.Text(fmt.Sprintf("%s %s %s user=%s", r.Name(), c.ID(), req.URL.RequestURI(), req.Header.Get("X-User"))))
	},
	message: echo,
}

// fetchApp forwards /user… to a room, calls rooms below /call, and answers /hello itself.
func fetchApp(t *testing.T) *party.App {
	return &party.App{
		Rooms: []party.Definition{inner.define("user"), script{message: echo}.define("silent")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			user := lobby.Party("user").Get("ada/lovelace")
			switch {
			case strings.HasPrefix(r.URL.Path, "/user"):
				r.Header.Set("X-User", "ada")
				io.ReadAll(io.LimitReader(r.Body, 2)) // takes nothing away from the room
				if err := user.Forward(w, r); err != nil {
					t.Error(err)
				}
			case strings.HasPrefix(r.URL.Path, "/call"):
				in, _ := http.NewRequest("PUT", strings.TrimPrefix(r.URL.Path, "/call")+"?q=1", strings.NewReader("b"))
				in.Header.Set("X-Party-Inside", "is not stripped")
				resp, err := user.Fetch(r.Context(), in)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				fmt.Fprint(w, resp.Status, " ", resp.Header.Get("X-Inner"), " ", string(body), " ", err)
			case r.URL.Path == "/unknown":
				_, err := lobby.Party("nope").Get("x").Fetch(r.Context(), r)
				fmt.Fprint(w, err)
			case r.URL.Path == "/badname":
				_, err := lobby.Party("user").Get(strings.Repeat("x", 513)).Fetch(r.Context(), r)
				fmt.Fprint(w, err != nil)
			case r.URL.Path == "/silent":
				in, _ := http.NewRequest("GET", "/", nil)
				resp, err := lobby.Party("silent").Get("x").Fetch(r.Context(), in)
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprint(w, resp.StatusCode)
			case r.URL.Path == "/late":
				fmt.Fprint(w, "written first")
				if user.Forward(w, r) == nil {
					t.Error("forwarded after something was written")
				}
			case r.URL.Path == "/panic":
				panic("the function's secret")
			case r.URL.Path == "/abort":
				panic(http.ErrAbortHandler)
			case r.URL.Path == "/hello":
				fmt.Fprint(w, "hello")
			}
		},
	}
}

func TestFetchFunction(t *testing.T) {
	hs := start(t, quiet(), server.App(fetchApp(t)))
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/hello", 200, "hello"},
		{"/nothing", 404, "Not found\n"},
		{"/user/sub?x=1", 200, "ada/lovelace POST /user/sub?x=1 body user=ada"},
		{"/user/teapot", 418, "ada/lovelace POST /user/teapot body user=ada"},
		{"/call", 200, "200 OK yes ada/lovelace PUT /parties/user/ada%2Flovelace?q=1 b user= <nil>"},
		{"/call/a%2Fb", 200, "200 OK yes ada/lovelace PUT /parties/user/ada%2Flovelace/a/b?q=1 b user= <nil>"},
		{"/call/teapot", 200, "418 I'm a teapot yes ada/lovelace PUT /parties/user/ada%2Flovelace/teapot?q=1 b user= <nil>"},
		{"/unknown", 200, `fetch: there is no party "nope"`},
		{"/badname", 200, "true"},
		{"/silent", 200, "404"},
		{"/late", 200, "written first"},
	} {
		t.Run(test.path, func(t *testing.T) {
			fetch(t, "POST", hs.URL+test.path, "body").check(t, test.status, test.body)
		})
	}
	if got := visit(t, hs.URL+"/panic"); got.status != 500 || strings.Contains(got.body, "secret") {
		t.Errorf("panic: got %d %q", got.status, got.body)
	}
	if _, err := http.Get(hs.URL + "/abort"); err == nil {
		t.Error("abort: got an answer")
	}
}

// TestForwardUpgrade keeps path, query and _pk.
func TestForwardUpgrade(t *testing.T) {
	hs := start(t, server.App(fetchApp(t)))
	c := dial(t, hs, "/user/sub?_pk=me&x=1")
	c.want("ada/lovelace me /user/sub?_pk=me&x=1 user=ada")
	c.say("hi")
	c.want("hi")
	if got := refused(t, hs, "/user", "Origin", "https://other.example", "Cookie", "a=1"); got.status != 403 {
		t.Errorf("foreign origin with a cookie: got %d", got.status)
	}
	refused(t, hs, "/nothing").check(t, 404, "Not found\n")
}

// TestStreamBetweenRooms reads a response from another room as it comes, and after the call has returned.
func TestStreamBetweenRooms(t *testing.T) {
	next := make(chan struct{})
	s := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		ctx := req.Context()
		if r.Name() == "source" {
			for n := range 3 {
				fmt.Fprintln(w, n)
				w.(http.Flusher).Flush()
				err := r.Await(ctx, func(ctx context.Context) error {
					select {
					case <-next:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				if err != nil {
					t.Errorf("the source, at %d: %v", n, err)
					return
				}
			}
			return
		}
		in, _ := http.NewRequest("GET", "/", nil)
		resp, err := r.Lobby().Party("chat").Get("source").Fetch(ctx, in)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		r.Await(ctx, func(context.Context) error {
			lines := bufio.NewScanner(resp.Body)
			for n := 0; lines.Scan(); n++ {
				if lines.Text() != fmt.Sprint(n) {
					t.Errorf("got %q, want %d", lines.Text(), n)
				}
				next <- struct{}{}
				r.Do(func() { r.n++ })
			}
			return lines.Err()
		})
		fmt.Fprint(w, r.n)
	}}
	hs := start(t, server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/reader").check(t, 200, "3")
}

// TestUnreadResponse shows that a room that never reads what another streams to it ends that call with its own.
func TestUnreadResponse(t *testing.T) {
	sourceEnded := make(chan error, 1)
	s := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		ctx := req.Context()
		if r.Name() == "source" {
			fmt.Fprint(w, "first")
			w.(http.Flusher).Flush()
			sourceEnded <- r.Await(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			return
		}
		in, _ := http.NewRequest("GET", "/", nil)
		resp, err := r.Lobby().Party("chat").Get("source").Fetch(ctx, in)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
		fmt.Fprint(w, "done")
	}}
	hs := start(t, server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/reader").check(t, 200, "done")
	if err := within(t, sourceEnded, "the source"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestForwardFromRoom lets a room pass a request on.
func TestForwardFromRoom(t *testing.T) {
	outer := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if err := r.Lobby().Party("user").Get("ada").Forward(w, req); err != nil {
			t.Error(err)
		}
	}}
	hs := start(t, server.Rooms(outer.define("outer"), inner.define("user")))
	got := fetch(t, "POST", hs.URL+"/parties/outer/x/teapot?q=1", "body")
	if got.status != 418 || !strings.HasPrefix(got.body, "ada POST ") || got.header.Get("X-Inner") != "yes" {
		t.Errorf("got %d %q %v", got.status, got.body, got.header)
	}
}

// TestAbortedCallBetweenRooms breaks off in the middle of a response; the caller must not take it for complete.
func TestAbortedCallBetweenRooms(t *testing.T) {
	s := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		if r.Name() == "source" {
			fmt.Fprint(w, "part")
			w.(http.Flusher).Flush()
			r.Await(req.Context(), func(context.Context) error { return nil })
			panic("boom")
		}
		in, _ := http.NewRequest("GET", "/", nil)
		resp, err := r.Lobby().Party("chat").Get("source").Fetch(req.Context(), in)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode == 200 {
			t.Errorf("got a complete body %q", body)
		}
	}}
	hs := start(t, quiet(), server.Rooms(s.define("chat")))
	visit(t, hs.URL+"/party/reader").check(t, 200, "")
}
