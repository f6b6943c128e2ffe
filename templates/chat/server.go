// A chat: one live room for each name.
package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	party "github.com/goparty-dev/party/runtime"
)

const (
	maxLines     = 100     // that a room remembers
	maxTextBytes = 4 << 10 // of one line
	maxNameRunes = 40      // of a person's name
)

// Chat relays what anybody says to everybody in the room, and remembers the
// last hundred lines. Its rooms are at /parties/chat/:room.
//
//party:room main hibernate
type Chat struct {
	party.Room

	lines []Line // oldest first, as they are stored
	next  uint64 // number of the next line
}

// Line is one thing that was said.
type Line struct {
	Number uint64    `json:"number"`
	From   string    `json:"from"` // connection id
	Name   string    `json:"name"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Person is somebody who is connected. It is also the connection's state,
// which survives hibernation and reloads.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Frame is what clients get. They send plain text.
type Frame struct {
	Type   string   `json:"type"`             // "welcome", "line", "joined", "left" or "refused"
	Lines  []Line   `json:"lines,omitempty"`  // welcome: what was said before
	People []Person `json:"people,omitempty"` // welcome: who is here
	Line   *Line    `json:"line,omitempty"`   // line
	Person *Person  `json:"person,omitempty"` // joined, left
	Reason string   `json:"reason,omitempty"` // refused
}

// OnStart loads the lines. It runs before anything else, also after the room
// has been asleep and after a reload.
func (c *Chat) OnStart(ctx context.Context) error {
	entries, err := c.Storage().List(ctx, party.ListOptions{Prefix: "line/"})
	if err != nil {
		return err
	}
	for _, e := range entries {
		var line Line
		if err := e.Decode(&line); err != nil {
			return err
		}
		c.lines = append(c.lines, line)
		c.next = line.Number + 1
	}
	return nil
}

// OnConnect greets a client and tells the others. Clients give their name as
// a query parameter.
func (c *Chat) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	me := Person{ID: conn.ID(), Name: cleanName(r.URL.Query().Get("name"))}
	if err := conn.SetState(me); err != nil {
		return err
	}
	people, err := c.people()
	if err != nil {
		return err
	}
	if err := conn.Send(party.JSON(Frame{Type: "welcome", Lines: c.lines, People: people})); err != nil {
		return err
	}
	return c.Broadcast(party.JSON(Frame{Type: "joined", Person: &me}), party.Except(conn))
}

// OnMessage stores a line and relays it. Nobody sees the line before it is
// on disk, so nothing that was seen is ever lost.
func (c *Chat) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	text := strings.TrimSpace(msg.Text())
	switch {
	case text == "":
		return nil
	case !msg.IsText() || len(text) > maxTextBytes:
		reason := fmt.Sprintf("A line is text of at most %d bytes.", maxTextBytes)
		return conn.Send(party.JSON(Frame{Type: "refused", Reason: reason}))
	}
	me, err := party.StateOf[Person](conn)
	if err != nil {
		return err
	}
	line := Line{Number: c.next, From: me.ID, Name: me.Name, Text: text, At: time.Now().UTC()}
	if err := c.remember(ctx, line); err != nil {
		return err
	}
	return c.Broadcast(party.JSON(Frame{Type: "line", Line: &line}))
}

// OnClose tells the others, unless the same person is still connected
// through a newer socket.
func (c *Chat) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	if _, still := c.Connection(conn.ID()); still {
		return
	}
	gone := Person{ID: conn.ID()}
	if err := c.Broadcast(party.JSON(Frame{Type: "left", Person: &gone})); err != nil {
		c.Logger().Warn("tell that somebody left", "err", err)
	}
}

// remember stores a line and forgets the oldest one when there are too many.
// All that one callback writes becomes durable together.
func (c *Chat) remember(ctx context.Context, line Line) error {
	if err := c.Storage().Put(ctx, lineKey(line.Number), line); err != nil {
		return err
	}
	c.lines = append(c.lines, line)
	c.next++
	for len(c.lines) > maxLines {
		if _, err := c.Storage().Delete(ctx, lineKey(c.lines[0].Number)); err != nil {
			return err
		}
		c.lines = c.lines[1:]
	}
	return nil
}

// people returns everybody who is connected, each person once.
func (c *Chat) people() ([]Person, error) {
	var people []Person
	seen := make(map[string]bool)
	for conn := range c.Connections() {
		if seen[conn.ID()] {
			continue
		}
		seen[conn.ID()] = true
		p, err := party.StateOf[Person](conn)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

// lineKey has a fixed width, so that the order of keys is the order of lines.
func lineKey(number uint64) string { return fmt.Sprintf("line/%020d", number) }

func cleanName(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || !utf8.ValidString(name) {
		return "somebody"
	}
	if runes := []rune(name); len(runes) > maxNameRunes {
		name = string(runes[:maxNameRunes])
	}
	return name
}
