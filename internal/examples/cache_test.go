package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

// asking is told of each request that has got its turn.
var asking chan struct{}

type watchedCache struct{ Cache }

func (c *watchedCache) OnRequest(w http.ResponseWriter, r *http.Request) {
	asking <- struct{}{}
	c.Cache.OnRequest(w, r)
}

func TestCache(t *testing.T) {
	asking = make(chan struct{}, 100)
	var asked atomic.Int32
	var down atomic.Bool
	all := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		n := asked.Add(1)
		<-all
		fmt.Fprint(w, r.URL.Path, " ", n)
	}))
	defer upstream.Close()
	s := partytest.New(t, partytest.Rooms(party.Define[watchedCache]("cache")), partytest.Vars(map[string]any{"UPSTREAM": upstream.URL}))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { wantResponse(t, s.Request("GET", "/party/prices", ""), 200, "/prices 1") })
	}
	for range 10 { // all of them have met the running fetch
		<-asking
	}
	close(all)
	wg.Wait()
	wantResponse(t, s.Request("GET", "/party/prices", ""), 200, "/prices 1")
	s.FireAlarm("cache", "prices")
	down.Store(true)
	wantResponse(t, s.Request("GET", "/party/prices", ""), 502, "there is nothing to serve now\n")
	down.Store(false)
	wantResponse(t, s.Request("GET", "/party/prices", ""), 200, "/prices 2")
}
