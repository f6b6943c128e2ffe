package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/runtime/server"
)

// start serves the app; stop ends it, so that a data folder can be used again.
func start(t *testing.T, opts ...server.Option) (url string, stop func()) {
	t.Helper()
	s, err := server.New(append(opts, server.App(&partyApp))...)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(s)
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		hs.Close()
	}
	t.Cleanup(stop)
	return hs.URL, stop
}

func do(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, url, err)
	}
	return resp, string(data)
}

func post(t *testing.T, url, message string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		t.Fatal(err)
	}
	if resp, got := do(t, "POST", url, string(body)); resp.StatusCode != http.StatusOK || got != "OK" {
		t.Fatalf("POST %q: got %d %q, want 200 OK", message, resp.StatusCode, got)
	}
}

func list(t *testing.T, url string) []string {
	t.Helper()
	resp, body := do(t, "GET", url, "")
	var messages []string
	if err := json.Unmarshal([]byte(body), &messages); err != nil {
		t.Fatalf("GET: got %d %q: %v", resp.StatusCode, body, err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("GET: content type %q", got)
	}
	return messages
}

func TestPostAndList(t *testing.T) {
	dir := t.TempDir()
	url, stop := start(t, server.Data(dir))
	room := url + "/parties/messages/board"
	if diff := cmp.Diff(list(t, room), []string{}); diff != "" {
		t.Errorf("an empty room (-got +want):\n%s", diff)
	}
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(room, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	ws.SetReadDeadline(time.Now().Add(10 * time.Second))

	post(t, room, "Hello!")
	if _, got, err := ws.ReadMessage(); err != nil || string(got) != "Hello!" {
		t.Errorf("broadcast: got %q, %v, want Hello!", got, err)
	}
	post(t, room, "")
	want := []string{"Hello!", ""}
	if diff := cmp.Diff(list(t, room), want); diff != "" {
		t.Errorf("messages (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(list(t, url+"/parties/messages/other"), []string{}); diff != "" {
		t.Errorf("messages of another room (-got +want):\n%s", diff)
	}

	stop()
	url, _ = start(t, server.Data(dir))
	if diff := cmp.Diff(list(t, url+"/parties/messages/board"), want); diff != "" {
		t.Errorf("messages after a restart (-got +want):\n%s", diff)
	}
}

func TestKeepsTheLastThousand(t *testing.T) {
	dir := t.TempDir()
	url, stop := start(t, server.Data(dir))
	var want []string
	for n := range maxMessages + 2 {
		want = append(want, fmt.Sprint("message ", n))
		post(t, url+"/party/board", want[n])
	}
	want = want[2:]
	if diff := cmp.Diff(list(t, url+"/party/board"), want); diff != "" {
		t.Errorf("messages (-got +want):\n%s", diff)
	}
	stop()
	url, _ = start(t, server.Data(dir))
	post(t, url+"/party/board", "one more")
	if diff := cmp.Diff(list(t, url+"/party/board"), append(want[1:], "one more")); diff != "" {
		t.Errorf("messages after a restart (-got +want):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	url, _ := start(t)
	room := url + "/parties/messages/board"
	for _, tt := range []struct {
		method, body string
		want         int
	}{
		{"DELETE", "", http.StatusMethodNotAllowed},
		{"PUT", `{"message":"x"}`, http.StatusMethodNotAllowed},
		{"POST", "", http.StatusBadRequest},
		{"POST", "hello", http.StatusBadRequest},
		{"POST", `{"text":"x"}`, http.StatusBadRequest},
		{"POST", `{"message":7}`, http.StatusBadRequest},
		{"POST", `{"message":"` + strings.Repeat("x", maxMessageBytes) + `"}`, http.StatusRequestEntityTooLarge},
	} {
		resp, body := do(t, tt.method, room, tt.body)
		if resp.StatusCode != tt.want {
			t.Errorf("%s %.20q: got %d %q, want %d", tt.method, tt.body, resp.StatusCode, body, tt.want)
		}
		if resp.StatusCode == http.StatusMethodNotAllowed && resp.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: Allow is %q", tt.method, resp.Header.Get("Allow"))
		}
	}
	if got := list(t, room); len(got) != 0 {
		t.Errorf("what was refused has been stored: %q", got)
	}
}
