package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
)

// cutStore is a store in memory that takes its time to make commits durable, and whose power is cut at some
// commit: from then on nothing becomes durable and nobody is told anything. It knows what would be on disk.
type cutStore struct {
	*memory.Store
	cut chan struct{} // closed with the power

	mu      sync.Mutex
	rng     *rand.Rand
	left    int // commits until the power is cut
	waiting []waitingCommit
	durable map[storage.Room]*storagetest.Model
	telling bool
}

type waitingCommit struct {
	storage.Commit
	done func(error)
}

func (s *cutStore) Commit(c storage.Commit, done func(error)) {
	s.Store.Commit(c, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting = append(s.waiting, waitingCommit{c, done})
		if !s.telling {
			s.telling = true
			go s.tell()
		}
	})
}

// tell makes what waits durable, some of it at a time, as a group. There is one at a time: telling is
// set until it has returned.
func (s *cutStore) tell() {
	for {
		s.mu.Lock()
		n := min(len(s.waiting), 1+s.rng.IntN(8), s.left)
		group := s.waiting[:n:n]
		s.waiting = s.waiting[n:]
		for _, c := range group {
			m := s.durable[c.Room]
			if m == nil {
				m = new(storagetest.Model)
				s.durable[c.Room] = m
			}
			m.Apply(c.Commit)
		}
		s.left -= n
		off := s.left == 0
		told := !off || s.rng.IntN(2) == 0 // the power may go before or after they are told
		s.mu.Unlock()
		if told {
			for _, c := range group {
				c.done(nil)
			}
		}
		if off {
			close(s.cut) // telling stays set: nothing is told any more
			return
		}
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.telling = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// onDisk is the number that is durable under a key.
func (s *cutStore) onDisk(room storage.Room, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.durable[room]; m != nil {
		v, _ := m.Value(key)
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}

// ask has a request answered, or broken off when ctx ends.
func ask(ctx context.Context, h http.Handler, url string) *httptest.ResponseRecorder {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", url, nil))
	return w
}

// TestNothingIsToldThatIsNotOnDisk cuts the power at random commits under clients that write, each in its turn, and
// looks at every answer: what it says was on disk when it left. A store in memory keeps nothing over a crash; that
// this costs nobody a promise is up to the gate before it.
func TestNothingIsToldThatIsNotOnDisk(t *testing.T) {
	const rooms, clients = 4, 24
	for range 20 {
		s := &cutStore{
			Store: memory.New(), cut: make(chan struct{}), rng: rand.New(rand.NewPCG(rand.Uint64(), 0)),
			left: 1 + rand.IntN(400), durable: make(map[storage.Room]*storagetest.Model),
		}
		room := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			q := req.URL.Query()
			n, err := strconv.Atoi(q.Get("n"))
			if err == nil {
				err = r.Storage().Put(req.Context(), q.Get("client"), n)
			}
			// A reader is told of what others have written, whose commits may be on their way still.
			var other int
			if err == nil {
				_, err = r.Storage().Get(req.Context(), q.Get("other"), &other)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, n, " ", other)
		}}
		srv, err := server.New(server.Rooms(room.define("a")), server.Store(s), quiet())
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for c := range clients {
			running.Go(func() {
				addr := storage.Room{Party: "a", Name: fmt.Sprint(c % rooms)}
				other := (c + rooms) % clients
				for n := 1; ctx.Err() == nil; n++ {
					w := ask(ctx, srv, fmt.Sprintf("/parties/a/%s?client=c%d&other=c%d&n=%d", addr.Name, c, other, n))
					var mine, theirs int
					if w == nil || w.Code != 200 || w.Body.Len() == 0 {
						continue // cut off
					}
					if _, err := fmt.Sscan(w.Body.String(), &mine, &theirs); err != nil {
						t.Errorf("got %q", w.Body)
					}
					for key, said := range map[string]int{fmt.Sprint("c", c): mine, fmt.Sprint("c", other): theirs} {
						if got := s.onDisk(addr, key); got < said {
							t.Errorf("a client was told that %s is %d, and %d is on disk", key, said, got)
						}
					}
				}
			})
		}
		within(t, s.cut, "the power cut")
		end()
		running.Wait()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_ = srv.Shutdown(gone) // what waits for the store waits for good
		if t.Failed() {
			return
		}
	}
}
