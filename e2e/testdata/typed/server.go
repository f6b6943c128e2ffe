package main

import (
	"context"
	"errors"

	party "github.com/goparty-dev/party/runtime"
)

var ErrBroke = errors.New("broke")

type Mood string

const (
	Happy Mood = "happy"
	Angry Mood = "angry"
)

type SayMessage struct {
	Text string `json:"text"`
	Mood Mood   `json:"mood,omitempty"`
}

//party:event
type Said struct {
	SayMessage
	By string `json:"by"`
}

//party:room main
type Chat struct {
	party.Room
	Lines int `party:"persist"`
}

//party:message
func (c *Chat) Say(ctx context.Context, conn *party.Conn, m SayMessage) error {
	c.Lines++
	// Another room counts too.
	if _, err := Parties(c).User(conn.ID()).Add(ctx, 1); err != nil {
		return err
	}
	return c.Broadcast(Said{SayMessage: m, By: conn.ID()}.Message())
}

//party:room
type User struct {
	party.Room
	Score int `party:"persist"`
}

//party:rpc public
func (u *User) Add(ctx context.Context, points int) (int, error) {
	if u.Score+points < 0 {
		return 0, ErrBroke
	}
	u.Score += points
	return u.Score, nil
}

//party:rpc
func (u *User) Reset(ctx context.Context) error {
	u.Score = 0
	return nil
}
