package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

func do(t *testing.T, s *partytest.Server, method, path, body string) (*http.Response, string) {
	t.Helper()
	resp := s.Request(method, path, body)
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return resp, string(data)
}

func post(t *testing.T, s *partytest.Server, path, message string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		t.Fatal(err)
	}
	if resp, got := do(t, s, "POST", path, string(body)); resp.StatusCode != http.StatusOK || got != "OK" {
		t.Fatalf("POST %q: got %d %q, want 200 OK", message, resp.StatusCode, got)
	}
}

func list(t *testing.T, s *partytest.Server, path string) []string {
	t.Helper()
	resp, body := do(t, s, "GET", path, "")
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
	const room = "/parties/messages/board"
	store := memory.New()
	want := []string{"Hello!", ""}
	t.Run("while it runs", func(t *testing.T) {
		s := partytest.New(t, &partyApp, partytest.Store(store))
		if diff := cmp.Diff(list(t, s, room), []string{}); diff != "" {
			t.Errorf("an empty room (-got +want):\n%s", diff)
		}
		c := s.Connect(room)
		post(t, s, room, "Hello!")
		c.Expect("Hello!")
		post(t, s, room, "")
		if diff := cmp.Diff(list(t, s, room), want); diff != "" {
			t.Errorf("messages (-got +want):\n%s", diff)
		}
		if diff := cmp.Diff(list(t, s, "/parties/messages/other"), []string{}); diff != "" {
			t.Errorf("messages of another room (-got +want):\n%s", diff)
		}
	})
	t.Run("after a restart", func(t *testing.T) {
		s := partytest.New(t, &partyApp, partytest.Store(store))
		if diff := cmp.Diff(list(t, s, room), want); diff != "" {
			t.Errorf("messages (-got +want):\n%s", diff)
		}
	})
}

func TestKeepsTheLastThousand(t *testing.T) {
	s := partytest.New(t, &partyApp)
	var want []string
	for n := range maxMessages + 2 {
		want = append(want, fmt.Sprint("message ", n))
		post(t, s, "/party/board", want[n])
	}
	want = want[2:]
	if diff := cmp.Diff(list(t, s, "/party/board"), want); diff != "" {
		t.Errorf("messages (-got +want):\n%s", diff)
	}
	s.Hibernate("messages", "board")
	post(t, s, "/party/board", "one more")
	if diff := cmp.Diff(list(t, s, "/party/board"), append(want[1:], "one more")); diff != "" {
		t.Errorf("messages after a sleep (-got +want):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	const room = "/parties/messages/board"
	s := partytest.New(t, &partyApp)
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
		resp, body := do(t, s, tt.method, room, tt.body)
		if resp.StatusCode != tt.want {
			t.Errorf("%s %.20q: got %d %q, want %d", tt.method, tt.body, resp.StatusCode, body, tt.want)
		}
		if resp.StatusCode == http.StatusMethodNotAllowed && resp.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: Allow is %q", tt.method, resp.Header.Get("Allow"))
		}
	}
	if got := list(t, s, room); len(got) != 0 {
		t.Errorf("what was refused has been stored: %q", got)
	}
}
