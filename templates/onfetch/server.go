// A private room for every user: requests and sockets to /user are routed to the room of
// whoever is logged in, and nobody reaches a room in any other way.
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	party "github.com/goparty-dev/party/runtime"
)

const (
	cookieName   = "user"
	maxUserBytes = 64 // of a user's id
)

// onFetch answers what neither a room nor a file has answered: it logs users
// in and routes them to their rooms.
//
//party:fetch
func onFetch(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
	switch first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first {
	case "login":
		login(w, r, rest)
	case "user":
		routeToUser(w, r, lobby)
	default:
		http.NotFound(w, r)
	}
}

// login sets the cookie by which routeToUser knows the user.
//
// It believes everybody. A real one checks a password or a token first, and the cookie
// holds a signed or random session instead of the id.
func login(w http.ResponseWriter, r *http.Request, user string) {
	if user == "" || len(user) > maxUserBytes || strings.Contains(user, "/") {
		http.Error(w, fmt.Sprintf("log in with /login/:userId, at most %d bytes", maxUserBytes), http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name:     cookieName,
		Value:    url.QueryEscape(user), // cookies take few characters
		Path:     "/",
		HttpOnly: true,
		Secure:   r.TLS != nil,
		SameSite: http.SameSiteLaxMode,
	})
	fmt.Fprintf(w, "logged in as %s\n", user)
}

// routeToUser hands a request or a WebSocket upgrade to the user's own room.
func routeToUser(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
	user, ok := currentUser(r)
	if !ok {
		http.Error(w, "log in first: /login/:userId", http.StatusUnauthorized)
		return
	}
	if err := lobby.Party("user").Get(user).Forward(w, r); err != nil {
		http.Error(w, "your room cannot be reached", http.StatusBadGateway)
	}
}

func currentUser(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", false
	}
	user, err := url.QueryUnescape(cookie.Value)
	return user, err == nil && user != ""
}
