package examples

import (
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestTopics(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Topics]("topics", party.AsHibernating())))
	news := s.Connect("/party/hub?topic=news")
	both := s.Connect("/party/hub?topic=news&topic=sport")
	s.Hibernate("topics", "hub")
	wantResponse(t, s.Request("POST", "/party/hub/sport", "goal"), 200, "")
	wantResponse(t, s.Request("POST", "/party/hub/none", "nobody listens"), 200, "")
	wantResponse(t, s.Request("POST", "/party/hub/news", "rain"), 200, "")
	wantResponse(t, s.Request("GET", "/party/hub/news", ""), 405, "POST to a topic\n")
	both.Expect("goal")
	both.Expect("rain")
	news.Expect("rain")
}
