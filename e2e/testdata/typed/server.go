package main

import (
	"context"
	"errors"
	"time"

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

// Level is an enumeration of numbers.
type Level int

const (
	Low Level = iota
	High
)

// Node is generic, and has itself in it.
type Node[T any] struct {
	Value T        `json:"value"`
	Next  *Node[T] `json:"next"`
}

// Tree is recursive.
type Tree struct {
	Name     string  `json:"name"`
	Children []*Tree `json:"children"`
}

// Every has a field of every kind that is written in JSON.
type Every struct {
	Header
	Text     string `json:"text"`
	Plain    int
	Level    Level           `json:"level"`
	At       time.Time       `json:"at"`
	Took     time.Duration   `json:"took"`
	Blob     []byte          `json:"blob"`
	Words    []string        `json:"words"`
	Pair     [2]float64      `json:"pair"`
	Scores   map[string]int  `json:"scores"`
	ByLevel  map[Level]bool  `json:"byLevel"`
	Pointer  *Header         `json:"pointer"`
	Empty    []int           `json:"empty,omitempty"`
	Zero     time.Time       `json:"zero,omitzero"`
	Maybe    *string         `json:"maybe,omitempty"`
	Big      int64           `json:"big,string"`
	MaybeBig *int64          `json:"maybeBig,string"`
	Nested   struct{ X int } `json:"nested"`
	Tree     Tree            `json:"tree"`
	Strings  Node[string]    `json:"strings"`
	Levels   *Node[Level]    `json:"levels"`
	Any      any             `json:"any"`
	Hidden   string          `json:"-"`
	Dash     bool            `json:"-,"`
	Odd      bool            `json:"odd-name"`
	ID       float64         `json:"id"`
}

// Header is embedded, and one of its fields is hidden.
type Header struct {
	ID   string `json:"id"`
	From string `json:"from"`
}

//party:rpc public
func (u *User) Every(ctx context.Context, e Every) (Every, []Tree, error) {
	return e, []Tree{e.Tree}, nil
}
