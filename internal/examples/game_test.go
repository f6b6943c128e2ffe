package examples

import (
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestGame(t *testing.T) {
	s := partytest.New(t, &party.App{
		Rooms:         []party.Definition{party.Define[Hall]("hall", party.AsMain()), party.Define[Match]("match", party.AsHibernating())},
		BeforeRequest: []party.BeforeHook{{Party: "hall", Func: NotFromOutside}},
	})
	hall := map[string]*partytest.Client{}
	for _, name := range []string{"ada", "bob", "eve"} {
		hall[name] = s.Connect("/party/town?_pk=" + name)
	}
	hall["ada"].Say("play")
	hall["ada"].Say("play") // nobody plays against herself
	hall["bob"].Say("play")
	var ready struct{ Name string }
	for _, name := range []string{"ada", "bob"} {
		if err := hall[name].Next().Decode(&ready); err != nil {
			t.Fatal(err)
		}
	}
	url := "/parties/match/" + ready.Name + "?_pk="
	ada, bob := s.Connect(url+"ada"), s.Connect(url+"bob")
	for _, c := range []*partytest.Client{ada, bob} {
		c.Expect(`{"type":"stones","left":7,"turn":"ada"}`)
	}
	if got := s.Connect(url + "eve").Closed(); got.Code != 4403 {
		t.Errorf("a stranger: %+v", got)
	}
	bob.Say(`{"take": 1}`)
	bob.Expect(`{"type":"no"}`)
	ada.Say(`{"take": 3}`)
	bob.Expect(`{"type":"stones","left":4,"turn":"bob"}`)
	s.Hibernate("match", ready.Name)
	bob.Say(`{"take": 4}`)
	bob.Expect(`{"type":"no"}`)
	bob.Say(`{"take": 1}`)
	bob.Expect(`{"type":"stones","left":3,"turn":"ada"}`)
	ada.Say(`{"take": 3}`)
	bob.Expect(`{"type":"stones","left":0,"turn":"bob"}`)
	hall["eve"].Expect(`{"type":"won","player":"ada","wins":1}`)
	wantResponse(t, s.Request("POST", "/party/town?winner=eve", ""), 403, "matches report here\n")
	wantResponse(t, s.Request("GET", "/parties/match/invented", ""), 500, "the room could not start\n")
}
