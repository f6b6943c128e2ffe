package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// relay opens a socket to the chat room of its own name and says what it hears.
type relay struct {
	party.Room
	heard []string
	end   error
}

func (r *relay) OnStart(ctx context.Context) error {
	socket, err := r.Lobby().Party("chat").Get(r.Name()).Dial(ctx, "?_pk=relay")
	if err != nil {
		return err
	}
	go func() {
		for {
			m, err := socket.Receive(context.Background())
			gone := r.Do(func() {
				if err != nil {
					r.end = err
					r.Broadcast(party.Text("ended"))
					return
				}
				r.heard = append(r.heard, m.Text())
				r.Broadcast(m)
				if len(r.heard) == 2 {
					socket.Send(party.Text("relayed"))
				}
			})
			if err != nil || gone != nil {
				socket.Close(1000, "")
				return
			}
		}
	}()
	return nil
}

func (r *relay) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var ce *party.CloseError
	return conn.Send(party.Text(fmt.Sprint(errors.Is(r.end, party.ErrClosed), errors.As(r.end, &ce))))
}

// kicker closes whoever connects to it from inside.
type kicker struct{ party.Room }

func (k *kicker) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Close(4002, "kicked")
}

func TestDialARoom(t *testing.T) {
	app := party.App{
		Rooms: []party.Definition{party.Define[chat]("chat"), party.Define[relay]("relay")},
		BeforeConnect: []party.BeforeHook{{Party: "chat", Func: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
			if r.URL.Query().Get("_pk") == "relay" {
				return nil, errors.New("calls from inside skip the hooks")
			}
			return r, nil
		}}},
	}
	hs := start(t, server.App(&app))
	a := dial(t, hs, "/parties/chat/x?_pk=ada")
	a.want("ada joined, 1")
	r := dial(t, hs, "/parties/relay/x?_pk=listener")
	a.want("relay joined, 2")
	r.want("relay joined, 2")
	a.say("hello")
	r.want("ada: hello")
	a.want("relay: relayed")
}

func TestDialEndsWithItsReason(t *testing.T) {
	app := party.App{
		Rooms: []party.Definition{party.Define[kicker]("kicker")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			socket, err := lobby.Party("kicker").Get("k").Dial(r.Context())
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			socket.Send(party.Text("kick me"))
			_, err = socket.Receive(r.Context())
			var ce *party.CloseError
			fmt.Fprintln(w, errors.Is(err, party.ErrClosed), errors.As(err, &ce), ce.Code, ce.Reason)
		},
	}
	hs := start(t, server.App(&app))
	if got, want := get(t, hs.URL+"/"), "true true 4002 kicked\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDialOfAnUnknownPartyFails(t *testing.T) {
	app := party.App{
		Rooms: []party.Definition{party.Define[kicker]("kicker")},
		Fetch: func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
			_, err := lobby.Party("nobody").Get("k").Dial(r.Context())
			fmt.Fprint(w, err)
		},
	}
	hs := start(t, server.App(&app))
	if got, want := get(t, hs.URL+"/"), `dial: there is no party "nobody"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
