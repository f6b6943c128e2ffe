package examples

import (
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestCursors(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Cursors]("cursors", party.AsHibernating())))
	ada, _, err := s.TryConnect("/party/page?_pk=ada", http.Header{"Cf-Ipcountry": {"PT"}})
	if err != nil {
		t.Fatal(err)
	}
	ada.Expect(`{"type":"sync","cursors":[]}`)
	ada.Say(`{"x": 1, "y": 2}`)
	s.Hibernate("cursors", "page")
	bob := s.Connect("/party/page?_pk=bob")
	bob.Expect(`{"type":"sync","cursors":[{"id":"ada","country":"PT","x":1,"y":2}]}`)
	bob.Say("not a place")
	bob.Say(`{"x": 3.5}`)
	ada.Expect(`{"type":"update","id":"bob","x":3.5,"y":0}`)
	bob.Break()
	ada.Expect(`{"type":"remove","id":"bob"}`)
}
