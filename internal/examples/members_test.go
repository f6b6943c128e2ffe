package examples

import (
	"io"
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestMembers(t *testing.T) {
	hook := []party.BeforeHook{{Party: "members", Func: SignedIn}}
	s := partytest.New(t, &party.App{
		Rooms:         []party.Definition{party.Define[Members]("members", party.AsHibernating())},
		BeforeConnect: hook, BeforeRequest: hook,
	}, partytest.Vars(map[string]any{"SESSION_SECRET": "s3cret"}))
	ada := Token("ada", "s3cret")
	for _, token := range []string{"", "ada", "ada.", "eve" + ada[3:], Token("ada", "guessed"), Token("ada", "")} {
		_, resp, err := s.TryConnect("/party/club?token="+token, http.Header{"X-User": {"ada"}})
		if err == nil || resp == nil || resp.StatusCode != 401 {
			t.Fatalf("token %q: let in, or no 401: %v, %v", token, resp, err)
		}
		if body, _ := io.ReadAll(resp.Body); string(body) != "sign in first\n" {
			t.Errorf("token %q: got %q", token, body)
		}
		wantResponse(t, s.Request("GET", "/party/club?token="+token, ""), 401, "sign in first\n")
	}
	wantResponse(t, s.Request("GET", "/party/club?token="+ada, ""), 200, "hello ada")
	c := s.Connect("/party/club?token=" + ada)
	s.Hibernate("members", "club")
	c.Say("here I am")
	c.Expect("ada: here I am")
}
