package examples

import (
	"io"
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

// wantResponse checks status and body.
func wantResponse(t *testing.T, r *http.Response, status int, body string) {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if r.StatusCode != status || string(b) != body || err != nil {
		t.Errorf("got %d %q, %v, want %d %q", r.StatusCode, b, err, status, body)
	}
}

func TestPoll(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Poll]("poll", party.AsHibernating())))
	wantResponse(t, s.Request("GET", "/party/tea", ""), 404, "404 page not found\n")
	if got := s.Connect("/party/tea").Closed(); got.Code != 4404 {
		t.Errorf("a poll that does not exist: %+v", got)
	}
	wantResponse(t, s.Request("POST", "/party/tea", `{"title": "Tea?", "options": ["yes"]}`), 400, "want a title and two options or more\n")
	const fresh = `{"title":"Tea?","options":["yes","no"],"votes":[0,0]}`
	wantResponse(t, s.Request("POST", "/party/tea", `{"title": "Tea?", "options": ["yes", "no"], "votes": [99]}`), 200, fresh+"\n")
	wantResponse(t, s.Request("POST", "/party/tea", "{}"), 409, "there is a poll already\n")
	ada, bob := s.Connect("/party/tea?_pk=ada"), s.Connect("/party/tea?_pk=bob")
	ada.Expect(fresh)
	bob.Expect(fresh)
	s.Hibernate("poll", "tea")
	ada.Say(`{"option": 7}`)
	ada.Say(`{}`)
	ada.Say(`{"option": 0}`)
	ada.Say(`{"option": 0}`) // does not count
	const one = `{"title":"Tea?","options":["yes","no"],"votes":[1,0]}`
	ada.Expect(one)
	bob.Expect(one)
	bob.Say(`{"option": 1}`)
	ada.Expect(`{"title":"Tea?","options":["yes","no"],"votes":[1,1]}`)
}
