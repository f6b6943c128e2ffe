package main

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// wants reads the next frame of a client.
func wants(t *testing.T, c *partytest.Client, want string) {
	t.Helper()
	if got := c.Next().Text(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestPoll(t *testing.T) {
	store := memory.New()
	s := partytest.New(t, &partyApp, partytest.Store(store))
	ada := s.Connect("/parties/poll/lunch?_pk=ada")
	wants(t, ada, `{"type":"tally","choices":null,"people":1}`)
	ada.Say(`{"type":"add","name":" Soup "}`)
	wants(t, ada, `{"type":"tally","choices":[{"name":"Soup","votes":0}],"people":1}`)
	ada.Say(`{"type":"add","name":"Bread"}`)
	ada.Next()
	bob := s.Connect("/parties/poll/lunch?_pk=bob")
	for _, c := range []*partytest.Client{ada, bob} {
		wants(t, c, `{"type":"tally","choices":[{"name":"Soup","votes":0},{"name":"Bread","votes":0}],"people":2}`)
	}
	ada.Say(`{"type":"vote","choice":0}`)
	wants(t, bob, `{"type":"tally","choices":[{"name":"Soup","votes":1},{"name":"Bread","votes":0}],"people":2}`)
	ada.Say(`{"type":"vote","choice":1}`)
	wants(t, bob, `{"type":"tally","choices":[{"name":"Soup","votes":0},{"name":"Bread","votes":1}],"people":2}`)

	// What was voted is there when the room comes back, and the vote is still the same connection's.
	again := partytest.New(t, &partyApp, partytest.Store(store))
	ada = again.Connect("/parties/poll/lunch?_pk=ada")
	wants(t, ada, `{"type":"tally","choices":[{"name":"Soup","votes":0},{"name":"Bread","votes":1}],"people":1}`)
	ada.Say(`{"type":"vote","choice":0}`)
	wants(t, ada, `{"type":"tally","choices":[{"name":"Soup","votes":1},{"name":"Bread","votes":0}],"people":1}`)
}

func TestRefused(t *testing.T) {
	ada := partytest.New(t, &partyApp).Connect("/party/a")
	ada.Next()
	ada.Say(`{"type":"add","name":"Soup"}`)
	ada.Next()
	for _, c := range []struct{ frame, want string }{
		{`{"type":"add","name":" "}`, `{"type":"refused","reason":"a choice needs a name"}`},
		{`{"type":"add","name":"SOUP"}`, `{"type":"refused","reason":"there is that choice already"}`},
		{`{"type":"vote","choice":1}`, `{"type":"refused","reason":"there is no such choice"}`},
		{`{"type":"vote","choice":-1}`, `{"type":"refused","reason":"there is no such choice"}`},
		{`{"type":"leave"}`, `{"type":"error","code":"unknown-type","of":"leave","message":"there is no message of type \"leave\""}`},
	} {
		ada.Say(c.frame)
		wants(t, ada, c.want)
	}
}

func TestLeader(t *testing.T) {
	s := partytest.New(t, &partyApp)
	leader := func() string {
		resp := s.Request("POST", "/parties/poll/a/_call/Leader", "[]")
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	before := leader()
	ada := s.Connect("/parties/poll/a")
	ada.Next()
	for _, frame := range []string{`{"type":"add","name":"Soup"}`, `{"type":"vote","choice":0}`} {
		ada.Say(frame)
		ada.Next()
	}
	if diff := cmp.Diff([]string{before, leader()}, []string{`[null]`, `[{"name":"Soup","votes":1}]`}); diff != "" {
		t.Errorf("the leader before and after a vote (-got +want):\n%s", diff)
	}
}
