package server_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// lateStore settles commits when it is told to.
type lateStore struct {
	storage.Store
	mu   sync.Mutex
	held []func()
}

func (s *lateStore) Commit(c storage.Commit, done func(error)) {
	s.Store.Commit(c, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = append(s.held, func() { done(err) })
	})
}

// settle tells of everything that was committed.
func (s *lateStore) settle() int {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	for _, f := range held {
		f()
	}
	return len(held)
}

type cursors struct{ party.Room }

func (c *cursors) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var opts []party.PutOption
	if msg.Text() != "firm" {
		opts = append(opts, party.Unconfirmed())
	}
	n, _, err := party.Get[int](ctx, c.Storage(), "n")
	if err != nil {
		return err
	}
	if err := c.Storage().PutAll(ctx, map[string]any{"n": n + 1, "last": msg.Text()}, opts...); err != nil {
		return err
	}
	entries, err := c.Storage().GetAll(ctx, "n", "none", "last")
	if err != nil {
		return err
	}
	var last string
	if len(entries) != 2 || entries[0].Key != "last" || entries[1].Key != "n" {
		return errors.New("GetAll returns what exists, in order")
	}
	if err := entries[0].Decode(&last); err != nil {
		return err
	}
	return conn.Send(party.Text(fmt.Sprintf("%s %d", last, n+1)))
}

func TestUnconfirmedWritesHoldNothingBack(t *testing.T) {
	store := &lateStore{Store: memory.New()}
	hs := start(t, server.Rooms(party.Define[cursors]("cursors")), server.Store(store))
	t.Cleanup(func() { store.settle() })
	c := dial(t, hs, "/parties/cursors/a")
	c.say("one")
	c.want("one 1") // although no commit is settled
	c.say("firm")
	c.say("three") // queues behind the firm write
	c.say("four")
	for settled := 0; settled < 4; settled += store.settle() {
		runtime.Gosched()
	}
	c.want("firm 2")
	c.want("three 3")
	c.want("four 4")
}
