package main

import (
	"context"
	"encoding/json"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// Counter counts clicks, and knows who is there.
//
//party:room main hibernate
type Counter struct {
	party.Room
}

// state is what pages show.
type state struct {
	Count int `json:"count"`
	Here  int `json:"here"`
}

func (c *Counter) state(ctx context.Context) (state, error) {
	n, _, err := party.Get[int](ctx, c.Storage(), "count")
	s := state{Count: n}
	for range c.Connections() {
		s.Here++
	}
	return s, err
}

func (c *Counter) tell(ctx context.Context) error {
	s, err := c.state(ctx)
	if err != nil {
		return err
	}
	return c.Broadcast(party.JSON(s))
}

func (c *Counter) add(ctx context.Context) error {
	s, err := c.state(ctx)
	if err != nil {
		return err
	}
	return c.Storage().Put(ctx, "count", s.Count+1)
}

func (c *Counter) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return c.tell(ctx)
}

func (c *Counter) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if err := c.add(ctx); err != nil {
		return err
	}
	return c.tell(ctx)
}

func (c *Counter) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	if err := c.tell(ctx); err != nil {
		c.Logger().Error("tell who is left", "err", err)
	}
}

func (c *Counter) OnRequest(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		if err := c.add(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if err := c.tell(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	s, err := c.state(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(s)
}
