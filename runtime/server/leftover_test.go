package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// visited says hello and has nothing to remember.
type visited struct{ party.Room }

func (v *visited) OnRequest(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// TestHibernatedRoomsLeaveNothing visits many rooms, all of which then fall idle, and looks at the heap:
// neither platform nor host nor store may keep anything of them.
func TestHibernatedRoomsLeaveNothing(t *testing.T) {
	const rooms, atMost = 10_000, 16 // bytes for each, which is less than a pointer and a length
	s, err := server.New(server.Rooms(party.Define[visited]("visited")), server.Data(t.TempDir()), quiet(),
		server.WithLimits(server.Limits{Idle: 100 * time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	visit := func(from, n int) {
		for k := range n {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/parties/visited/%d", from+k), nil))
			if w.Code != 200 || w.Body.String() != "hello" {
				t.Fatalf("got %d %q", w.Code, w.Body)
			}
		}
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools held goes with the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	visit(0, 100) // code and pools are there from now on
	before := heap()
	visit(100, rooms)
	awake := heap() - before
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	left := heap() - before
	for end := time.Now().Add(30 * time.Second); left > atMost*rooms && time.Now().Before(end); left = heap() - before {
		<-tick.C
	}
	if left > atMost*rooms {
		t.Errorf("%d rooms that are not in memory take %d bytes", rooms, left)
	}
	t.Logf("%.2f KB for each room while they were awake, %.3f KB now", float64(awake)/1024/rooms, float64(left)/1024/rooms)
}
