package examples

import (
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestCounter(t *testing.T) {
	s := partytest.New(t, partytest.Rooms(party.Define[Counter]("counter", party.AsHibernating())))
	a := s.Connect("/party/home")
	a.Expect(`{"visits":1}`)
	s.Hibernate("counter", "home")
	b := s.Connect("/party/home")
	a.Expect(`{"visits":2}`)
	b.Expect(`{"visits":2}`)
	s.Connect("/party/other").Expect(`{"visits":1}`)
}
