package examples

import (
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestCanvas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := partytest.New(t, partytest.Rooms(party.Define[Canvas]("canvas")))
		ada, bob := s.Connect("/party/wall"), s.Connect("/party/wall")
		if m := ada.Next(); m.IsText() || m.Len() != canvasSide*canvasSide {
			t.Errorf("a new picture: text %v, %d bytes", m.IsText(), m.Len())
		}
		bob.Next()
		for _, bad := range []party.Message{party.Text("abc"), party.Binary([]byte{1, 2}), party.Binary([]byte{canvasSide, 0, 1})} {
			ada.Send(bad)
		}
		ada.Send(party.Binary([]byte{2, 1, 7}))
		if m := bob.Next(); m.IsText() || m.Text() != "\x02\x01\x07" {
			t.Errorf("the other sees %q", m.Text())
		}
		ada.Close(1000, "")
		bob.Close(1000, "")
		time.Sleep(time.Minute) // the picture is kept, and the room gone
		if pixels := s.Connect("/party/wall").Next().Bytes(); pixels[canvasSide+2] != 7 {
			t.Errorf("after a while: %v", pixels)
		}
	})
}
