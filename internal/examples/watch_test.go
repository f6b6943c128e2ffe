package examples

import (
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := partytest.New(t, partytest.Rooms(party.Define[Watch]("watch", party.AsHibernating())))
		ada := s.Connect("/party/film")
		ada.Expect(`{"at":0,"playing":false}`)
		ada.Say(`{"do": "play"}`)
		ada.Expect(`{"at":0,"playing":true}`)
		time.Sleep(5 * time.Minute) // and the room sleeps through most of it
		bob := s.Connect("/party/film")
		bob.Expect(`{"at":300,"playing":true}`)
		bob.Say(`{"do": "seek", "to": 12.5}`)
		ada.Expect(`{"at":12.5,"playing":true}`)
		time.Sleep(time.Second)
		ada.Say(`{"do": "pause"}`)
		ada.Expect(`{"at":13.5,"playing":false}`)
		time.Sleep(time.Hour)
		s.Connect("/party/film").Expect(`{"at":13.5,"playing":false}`)
	})
}
