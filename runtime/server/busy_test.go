package server_test

import (
	"fmt"
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// busy holds its turn for as long as a test wants.
type busy struct{ party.Room }

var busyBegan, busyGo = make(chan struct{}, 10), make(chan struct{})

func (b *busy) OnRequest(w http.ResponseWriter, r *http.Request) {
	busyBegan <- struct{}{}
	<-busyGo
	fmt.Fprint(w, "done")
}

// TestBusyRoom turns requests away when too many wait for their turn.
func TestBusyRoom(t *testing.T) {
	hs := start(t, server.Rooms(party.Define[busy]("busy")), server.WithLimits(server.Limits{RoomQueue: 2}))
	type result struct {
		status int
		retry  string
	}
	results := make(chan result, 3)
	for range 3 { // two may be inside, whichever come first
		go func() {
			resp, err := http.Get(hs.URL + "/parties/busy/x")
			if err != nil {
				t.Error(err)
				results <- result{}
				return
			}
			resp.Body.Close()
			results <- result{resp.StatusCode, resp.Header.Get("Retry-After")}
		}()
	}
	<-busyBegan
	if got, want := <-results, (result{503, "1"}); got != want {
		t.Errorf("the one too many: got %v, want %v", got, want)
	}
	close(busyGo)
	for range 2 {
		if got, want := <-results, (result{200, ""}); got != want {
			t.Errorf("who waited: got %v, want %v", got, want)
		}
	}
}
