package stream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inTurn(t, newSeat(), func(i *fakeRoom) {
			r := plainRequest()
			socket, err := i.Seat.Dial(t.Context(), storage.Room{Party: "p", Name: "target"}, r)
			if err != nil {
				t.Errorf("Dial: %v", err)
				return
			}
			want := func(text string, binary bool) {
				t.Helper()
				data, bin, err := socket.Receive(t.Context())
				if err != nil || data != text || bin != binary {
					t.Errorf("received %.20q, %v, %v, want %.20q, %v", data, bin, err, text, binary)
				}
			}
			want("target "+r.URL.Path, false)
			big := strings.Repeat("x", windowSize+10) // more than may be on the way
			for _, s := range []string{"a", big, "c"} {
				if err := socket.Send(s, s == "c"); err != nil {
					t.Errorf("Send: %v", err)
				}
			}
			want("A", false)
			want(strings.ToUpper(big), false)
			want("C", true)

			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, _, err := socket.Receive(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Receive with an ended context: %v", err)
			}
			socket.Close(4000, "done")
			socket.Close(4001, "again")
			var closed *link.SocketClosed
			for range 2 {
				if _, _, err := socket.Receive(t.Context()); !errors.As(err, &closed) || closed.Code != 4000 || closed.Reason != "done" {
					t.Errorf("Receive after Close: %v, want close 4000", err)
				}
			}
		})
	})
}

func TestDialRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inTurn(t, newSeat(), func(i *fakeRoom) {
			_, err := i.Seat.Dial(t.Context(), storage.Room{Party: "p", Name: "refuses"}, plainRequest())
			if err == nil || !strings.Contains(err.Error(), "403") {
				t.Errorf("Dial: %v, want the refusal", err)
			}
		})
	})
}
