package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/runtime/partytest"
)

func start(t *testing.T) string {
	t.Helper()
	hs := httptest.NewServer(partytest.New(t, &partyApp))
	t.Cleanup(hs.Close)
	return hs.URL
}

// browser keeps cookies.
type browser struct {
	t    *testing.T
	http *http.Client
	ws   *websocket.Dialer
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, Timeout: 10 * time.Second}, &websocket.Dialer{Jar: jar}}
}

func (b *browser) do(method, url string) (status int, body string) {
	b.t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("%s %s: read the answer: %v", method, url, err)
	}
	return resp.StatusCode, string(data)
}

// visit makes a request that must reach a user's room.
func (b *browser) visit(method, url string) Visit {
	b.t.Helper()
	status, body := b.do(method, url)
	var v Visit
	if err := json.Unmarshal([]byte(body), &v); status != http.StatusOK || err != nil {
		b.t.Fatalf("%s %s: got %d %q (%v)", method, url, status, body, err)
	}
	return v
}

// dial returns the socket, or the status that refused it.
func (b *browser) dial(url string) (*websocket.Conn, int) {
	b.t.Helper()
	ws, resp, err := b.ws.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
	if err != nil {
		if resp == nil {
			b.t.Fatalf("dial %s: %v", url, err)
		}
		return nil, resp.StatusCode
	}
	b.t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(60 * time.Second))
	return ws, resp.StatusCode
}

func (b *browser) login(url, user string) {
	b.t.Helper()
	if status, body := b.do("POST", url+"/login/"+user); status != http.StatusOK {
		b.t.Fatalf("log in as %s: got %d %q", user, status, body)
	}
}

func TestRequestsGoToTheUsersRoom(t *testing.T) {
	url := start(t)
	ada, bob := newBrowser(t), newBrowser(t)
	ada.login(url, "ada")
	bob.login(url, "b%C3%B6b%20jr")

	if got, want := ada.visit("POST", url+"/user"), (Visit{"ada", "POST", "/user", 1}); got != want {
		t.Errorf("Ada's first request: got %+v, want %+v", got, want)
	}
	if got, want := bob.visit("GET", url+"/user/settings?x=1"), (Visit{"böb jr", "GET", "/user/settings", 1}); got != want {
		t.Errorf("Bob's first request: got %+v, want %+v", got, want)
	}
	if got, want := ada.visit("POST", url+"/user"), (Visit{"ada", "POST", "/user", 2}); got != want {
		t.Errorf("Ada's second request: got %+v, want %+v", got, want)
	}
}

func TestSocketsGoToTheUsersRoom(t *testing.T) {
	url := start(t)
	ada := newBrowser(t)
	ada.login(url, "ada")
	ws, status := ada.dial(url + "/user?_pk=tab")
	if ws == nil {
		t.Fatalf("dial /user: got status %d, want 101", status)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte("ping")); err != nil {
		t.Fatal(err)
	}
	_, got, err := ws.ReadMessage()
	if err != nil || string(got) != "pong ada" {
		t.Errorf("answer to ping: got %q, %v, want %q", got, err, "pong ada")
	}
}

func TestRefusals(t *testing.T) {
	url := start(t)
	ada, stranger := newBrowser(t), newBrowser(t)
	ada.login(url, "ada")

	for _, tt := range []struct {
		who          *browser
		method, path string
		want         int
	}{
		{stranger, "GET", "/user", http.StatusUnauthorized},
		{ada, "POST", "/login/", http.StatusBadRequest},
		{ada, "POST", "/login/" + strings.Repeat("x", maxUserBytes+1), http.StatusBadRequest},
		{ada, "GET", "/elsewhere", http.StatusNotFound},
		{ada, "GET", "/parties/user/ada", http.StatusForbidden},
		{ada, "POST", "/party/ada", http.StatusForbidden},
	} {
		if got, body := tt.who.do(tt.method, url+tt.path); got != tt.want {
			t.Errorf("%s %s: got %d %q, want %d", tt.method, tt.path, got, body, tt.want)
		}
	}
	for _, tt := range []struct {
		who  *browser
		path string
		want int
	}{
		{stranger, "/user", http.StatusUnauthorized},
		{ada, "/parties/user/ada", http.StatusForbidden},
		{ada, "/party/ada", http.StatusForbidden},
	} {
		if _, got := tt.who.dial(url + tt.path); got != tt.want {
			t.Errorf("socket to %s: got %d, want %d", tt.path, got, tt.want)
		}
	}
}
