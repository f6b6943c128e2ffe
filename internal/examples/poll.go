package examples

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// Question is what a poll asks, and how the votes stand.
type Question struct {
	Title   string   `json:"title"`
	Options []string `json:"options"`
	Votes   []int    `json:"votes"`
}

// Poll is made by a POST to its URL. Clients vote once, by {"option": 0}, and see every vote as it comes.
//
//party:room hibernate
type Poll struct {
	party.Room
	question *Question // nil: nobody has asked yet
}

// OnStart brings the poll back.
func (p *Poll) OnStart(ctx context.Context) error {
	_, err := p.Storage().Get(ctx, "question", &p.question)
	return err
}

// OnRequest makes the poll, or shows it.
func (p *Poll) OnRequest(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost && p.question != nil:
		http.Error(w, "there is a poll already", http.StatusConflict)
		return
	case r.Method == http.MethodPost:
		var q Question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Title == "" || len(q.Options) < 2 {
			http.Error(w, "want a title and two options or more", http.StatusBadRequest)
			return
		}
		q.Votes = make([]int, len(q.Options))
		if err := p.Storage().Put(r.Context(), "question", q); err != nil {
			http.Error(w, "the poll could not be kept", http.StatusInternalServerError)
			return
		}
		p.question = &q
	case p.question == nil:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(p.question); err != nil {
		p.Logger().Error("show poll", "err", err)
	}
}

// OnConnect lets clients in when there is something to vote on.
func (p *Poll) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	if p.question == nil {
		return &party.CloseError{Code: 4404, Reason: "there is no such poll"}
	}
	return conn.Send(party.JSON(p.question))
}

// OnMessage takes a vote.
func (p *Poll) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var vote struct{ Option *int }
	if err := msg.Decode(&vote); err != nil {
		return err
	}
	if vote.Option == nil || *vote.Option < 0 || *vote.Option >= len(p.question.Options) {
		return fmt.Errorf("vote %s: there is no such option", msg.Text())
	}
	key := "voted/" + conn.ID()
	_, voted, err := party.Get[bool](ctx, p.Storage(), key)
	if err != nil || voted {
		return err
	}
	p.question.Votes[*vote.Option]++
	return errors.Join(
		p.Storage().PutAll(ctx, map[string]any{key: true, "question": p.question}),
		p.Broadcast(party.JSON(p.question)),
	)
}
