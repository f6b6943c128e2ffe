package examples

import (
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := partytest.New(t, partytest.Rooms(party.Define[Draft]("draft", party.AsHibernating())))
		visit := func(want, write string) *partytest.Client {
			t.Helper()
			c := s.Connect("/party/letter")
			c.Expect(want)
			if write != "" {
				c.Say(write)
			}
			return c
		}
		visit("", "Dear Ada").Close(1000, "")
		time.Sleep(23 * time.Hour)
		c := visit("Dear Ada", "")
		time.Sleep(48 * time.Hour) // somebody looks at it
		c.Break()
		time.Sleep(23 * time.Hour)
		c = visit("Dear Ada", "Dear Bob")
		c.Close(1000, "")
		time.Sleep(25 * time.Hour)
		visit("", "")
	})
}
