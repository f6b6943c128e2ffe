// A chat on Socket.IO: any Socket.IO client can join it.
package main

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goparty-dev/party/runtime/socketio"
)

const (
	maxTextBytes = 4 << 10 // of one line
	maxNameRunes = 40      // of a person's name
)

// Person is somebody who has said a name. It is also the socket's data, which survives reloads.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Line is one thing that was said.
type Line struct {
	From Person `json:"from"`
	Text string `json:"text"`
}

// Typing tells whether somebody is typing.
type Typing struct {
	Who Person `json:"who"`
	On  bool   `json:"on"`
}

// The events, with their payloads. What clients send:
var (
	enter  = socketio.NewCall[string, []Person]("enter") // a name; answered with who is here
	say    = socketio.NewEvent[string]("say")
	typing = socketio.NewEvent[bool]("typing")
)

// What clients get:
var (
	entered = socketio.NewEvent[Person]("entered")
	left    = socketio.NewEvent[Person]("left")
	said    = socketio.NewEvent[Line]("said")
	typed   = socketio.NewEvent[Typing]("typed")
)

// here is the room of those who have said a name.
const here = "here"

// createServer is called when the server starts and after every reload; then
// the connection handler runs again for each open socket, which notices nothing.
//
//party:socketio
func createServer(io *socketio.Server) {
	io.OnConnection(func(_ context.Context, socket *socketio.Socket) error {
		enter.On(socket, func(_ context.Context, name string) ([]Person, error) {
			me := Person{ID: socket.ID(), Name: cleanName(name)}
			if err := socket.SetData(me); err != nil {
				return nil, err
			}
			socket.Join(here)
			if err := entered.Emit(socket.To(here), me); err != nil {
				return nil, err
			}
			return people(io)
		})
		say.On(socket, func(_ context.Context, text string) error {
			text = strings.TrimSpace(text)
			if text == "" || len(text) > maxTextBytes {
				return nil
			}
			me, err := whois(socket)
			if err != nil {
				return err
			}
			return said.Emit(io.To(here), Line{From: me, Text: text})
		})
		typing.On(socket, func(_ context.Context, on bool) error {
			me, err := whois(socket)
			if err != nil {
				return err
			}
			return typed.Emit(socket.To(here).Volatile(), Typing{Who: me, On: on})
		})
		socket.OnDisconnect(func(context.Context, string) {
			me, err := whois(socket)
			if err != nil {
				return // never entered
			}
			if err := left.Emit(io.To(here), me); err != nil {
				io.Room().Logger().Warn("tell that somebody left", "err", err)
			}
		})
		return nil
	})
}

// whois returns the person behind a socket.
func whois(socket *socketio.Socket) (Person, error) {
	me, err := socketio.DataOf[Person](socket)
	if err == nil && me.ID == "" {
		err = errors.New("the client has not entered")
	}
	return me, err
}

// people returns everybody who is here.
func people(io *socketio.Server) ([]Person, error) {
	list := []Person{}
	for _, socket := range io.In(here).FetchSockets() {
		p, err := whois(socket)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

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
