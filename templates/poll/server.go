// A poll: everybody in a room sees the votes come in.
package main

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	party "github.com/goparty-dev/party/runtime"
)

const (
	maxChoices     = 20
	maxChoiceRunes = 80
)

// Poll is one question. Each connection has one vote, which it may move. Its rooms are at /parties/poll/:room.
//
//party:room main hibernate
type Poll struct {
	party.Room

	choices []Choice       `party:"persist"`
	ballots map[string]int `party:"persist"` // choice by connection
}

// Choice is one answer, and how many have chosen it.
type Choice struct {
	Name  string `json:"name"`
	Votes int    `json:"votes"`
}

// Tally is how the poll stands. Everybody gets it whenever that changes.
//
//party:event
type Tally struct {
	Choices []Choice `json:"choices"`
	People  int      `json:"people"`
}

// Refused tells a client why what it sent has changed nothing.
//
//party:event
type Refused struct {
	Reason string `json:"reason"`
}

// AddMessage is a new choice.
type AddMessage struct {
	Name string `json:"name"`
}

// VoteMessage votes for a choice, by its place in the tally.
type VoteMessage struct {
	Choice int `json:"choice"`
}

// OnConnect shows everybody who is new, and who is new how the poll stands.
func (p *Poll) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return p.show()
}

// OnClose shows that somebody has left. The vote stays.
func (p *Poll) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	if err := p.show(); err != nil {
		p.Logger().Warn("show the tally", "err", err)
	}
}

// Add adds a choice.
//
//party:message
func (p *Poll) Add(ctx context.Context, conn *party.Conn, m AddMessage) error {
	name := strings.TrimSpace(m.Name)
	switch {
	case name == "":
		return p.refuse(conn, "a choice needs a name")
	case utf8.RuneCountInString(name) > maxChoiceRunes:
		return p.refuse(conn, "that is too long for a choice")
	case len(p.choices) >= maxChoices:
		return p.refuse(conn, "there are enough choices")
	}
	for _, c := range p.choices {
		if strings.EqualFold(c.Name, name) {
			return p.refuse(conn, "there is that choice already")
		}
	}
	p.choices = append(p.choices, Choice{Name: name})
	return p.show()
}

// Vote gives the connection's vote to a choice, or moves it there.
//
//party:message
func (p *Poll) Vote(ctx context.Context, conn *party.Conn, m VoteMessage) error {
	if m.Choice < 0 || m.Choice >= len(p.choices) {
		return p.refuse(conn, "there is no such choice")
	}
	if before, ok := p.ballots[conn.ID()]; ok {
		p.choices[before].Votes--
	}
	if p.ballots == nil {
		p.ballots = make(map[string]int)
	}
	p.ballots[conn.ID()] = m.Choice
	p.choices[m.Choice].Votes++
	return p.show()
}

// Leader returns the choice with the most votes, nil if there are none. Clients call it without a connection.
//
//party:rpc public
func (p *Poll) Leader(ctx context.Context) (*Choice, error) {
	var best *Choice
	for _, c := range p.choices {
		if c.Votes > 0 && (best == nil || c.Votes > best.Votes) {
			best = &c
		}
	}
	return best, nil
}

func (p *Poll) show() error {
	people := 0
	for range p.Connections() {
		people++
	}
	return p.Broadcast(Tally{Choices: p.choices, People: people}.Message())
}

func (p *Poll) refuse(conn *party.Conn, reason string) error {
	return conn.Send(Refused{Reason: reason}.Message())
}
