package examples

import (
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := partytest.New(t, partytest.Rooms(party.Define[Limited]("limited", party.AsHibernating())))
		c := s.Connect("/party/x")
		for range 5 {
			c.Say("hello")
			c.Expect("hello")
		}
		s.Hibernate("limited", "x")
		c.Say("hello?")
		c.Expect("slow down")
		time.Sleep(6 * time.Second)
		c.Say("hello again")
		c.Expect("hello again")
		for range 4 + 3 {
			c.Say("spam")
		}
		if got, want := c.Closed(), (party.CloseEvent{Code: 1008, Reason: "too many messages", Clean: true}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
