package main

import (
	"context"
	"encoding/json"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// User is the private room of one user; the room's name is the user's id.
//
//party:room hibernate
type User struct {
	party.Room
}

// Visit is what the room answers.
type Visit struct {
	User     string `json:"user"`
	Method   string `json:"method"`
	Path     string `json:"path"`
	Requests int    `json:"requests"` // so many have been made, ever
}

// OnRequest counts requests.
func (u *User) OnRequest(w http.ResponseWriter, r *http.Request) {
	n, _, err := party.Get[int](r.Context(), u.Storage(), "requests")
	if err == nil {
		n++
		err = u.Storage().Put(r.Context(), "requests", n)
	}
	if err != nil {
		u.Logger().Error("count a request", "err", err)
		http.Error(w, "the request could not be counted", http.StatusInternalServerError)
		return
	}
	body, err := json.Marshal(Visit{User: u.Name(), Method: r.Method, Path: r.URL.Path, Requests: n})
	if err != nil {
		u.Logger().Error("encode a visit", "err", err)
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// OnMessage answers a ping.
func (u *User) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() == "ping" {
		return conn.Send(party.Text("pong " + u.Name()))
	}
	return conn.Send(party.Text("say ping"))
}

// refuseSockets keeps out whoever opens a socket to /parties/user/:id. What
// onFetch forwards comes from inside and is not asked.
//
//party:before-connect user
func refuseSockets(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	return nil, party.Reject(http.StatusForbidden, "this room is private: use /user")
}

// refuseRequests is the same for HTTP requests.
//
//party:before-request user
func refuseRequests(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	return nil, party.Reject(http.StatusForbidden, "this room is private: use /user")
}
