package storagetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

// turnKeys are written together, always with one value.
var turnKeys = []string{"first", "second", "third"}

// turn is a commit that writes every turn key.
func turn(room storage.Room, fence storage.Fence, n int) storage.Commit {
	c := storage.Commit{Room: room, Fence: fence, Clear: n%3 == 0}
	for _, k := range turnKeys {
		c.Ops = append(c.Ops, put(k, strconv.Itoa(n)))
	}
	return c
}

// testWholeTurns reads a room while it is written: a turn is seen whole or not
// at all, and never an older one than has been accepted.
func testWholeTurns(t *testing.T, s *store) {
	fence := s.claim(lobby).Fence
	s.commit(turn(lobby, fence, 0))
	var accepted struct {
		sync.Mutex
		n int
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for kind := range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				accepted.Lock()
				least := accepted.n
				accepted.Unlock()
				if err := wholeTurn(s, kind, least); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := 1; n <= 500; n++ {
		s.Commit(turn(lobby, fence, n), func(err error) {
			if err != nil {
				t.Errorf("turn %d: %v", n, err)
			}
		})
		accepted.Lock()
		accepted.n = n
		accepted.Unlock()
		if n%4 == 0 {
			s.sync(lobby)
		}
	}
	close(stop)
	readers.Wait()
}

// wholeTurn reads the turn keys in one of some ways.
func wholeTurn(s storage.Store, kind, least int) error {
	ctx := context.Background()
	values := make(map[string][]byte)
	var err error
	if kind == 0 {
		values, err = s.Get(ctx, lobby, turnKeys)
	} else {
		var entries []storage.Entry
		entries, err = s.List(ctx, lobby, storage.Range{Reverse: kind == 2})
		for _, e := range entries {
			values[e.Key] = e.Value
		}
	}
	if err != nil {
		return err
	}
	for _, k := range turnKeys {
		if string(values[k]) != string(values[turnKeys[0]]) {
			return fmt.Errorf("read half a turn: %q", values)
		}
	}
	if n, err := strconv.Atoi(string(values[turnKeys[0]])); err != nil || n < least {
		return fmt.Errorf("read turn %q after turn %d was accepted", values[turnKeys[0]], least)
	}
	return nil
}

// testManyRooms has owners come and go, in many rooms at once.
func testManyRooms(t *testing.T, s *store) {
	const rooms, lives, turns = 24, 4, 12
	var owners sync.WaitGroup
	for r := range rooms {
		owners.Go(func() {
			room := storage.Room{Party: "chat", Name: strconv.Itoa(r)}
			if err := live(s, room, lives, turns); err != nil {
				t.Errorf("room %q: %v", room, err)
			}
		})
	}
	owners.Wait()
	for r := range rooms {
		last := strconv.Itoa(lives*turns - 1)
		s.holds(storage.Room{Party: "chat", Name: strconv.Itoa(r)}, map[string]string{"first": last, "second": last, "third": last})
	}
}

// live owns a room a number of times.
func live(s storage.Store, room storage.Room, lives, turns int) error {
	ctx := context.Background()
	for l := range lives {
		claim, err := s.Claim(ctx, room)
		if err != nil {
			return err
		}
		outcomes := make(chan error, turns)
		for n := range turns {
			s.Commit(turn(room, claim.Fence, l*turns+n), func(err error) { outcomes <- err })
			values, err := s.Get(ctx, room, turnKeys)
			if got, want := string(values["second"]), strconv.Itoa(l*turns+n); err != nil || got != want {
				return fmt.Errorf("got %q, %v from a room with one owner, want %q", got, err, want)
			}
		}
		if l%2 == 0 {
			s.Release(room, claim.Fence)
		}
		for range turns {
			if err := <-outcomes; err != nil {
				return err
			}
		}
	}
	return nil
}
