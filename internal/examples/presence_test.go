package examples

import (
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestPresence(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Presence]("presence", party.AsHibernating())))
	bob := s.Connect("/party/office?_pk=bob")
	bob.Expect(`{"type":"there","ids":["bob"]}`)
	laptop := s.Connect("/party/office?_pk=ada")
	laptop.Expect(`{"type":"there","ids":["ada","bob"]}`)
	bob.Expect(`{"type":"came","id":"ada"}`)
	phone := s.Connect("/party/office?_pk=ada")
	phone.Expect(`{"type":"there","ids":["ada","bob"]}`)
	laptop.Close(1000, "")
	s.Hibernate("presence", "office")
	phone.Break()
	bob.Expect(`{"type":"went","id":"ada"}`) // once, and nothing before it
}
