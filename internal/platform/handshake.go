package platform

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/websocket"
)

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// connID is the first _pk that is not empty, else a new id.
func connID(q url.Values) string {
	for _, id := range q["_pk"] {
		if id != "" {
			return id
		}
	}
	return rand.Text()
}

// handshakeOK checks an upgrade request before a room sees it, and answers it if it cannot become a socket.
func (p *Platform) handshakeOK(w http.ResponseWriter, r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	if r.Method != http.MethodGet || !websocket.IsWebSocketUpgrade(r) || r.Header.Get("Sec-Websocket-Version") != "13" || err != nil || len(key) != 16 {
		w.Header().Set("Sec-WebSocket-Version", "13")
		p.refuse(w, http.StatusBadRequest, "not a WebSocket handshake of version 13\n")
		return false
	}
	if !canHijack(w) {
		p.fail(w, r, errNoHijack)
		return false
	}
	return true
}

// errNoHijack tells whoever put the server behind a middleware what it lacks.
var errNoHijack = errors.New("the connection cannot become a WebSocket: a middleware in front has wrapped the http.ResponseWriter, " +
	"and its wrapper has neither Hijack nor Unwrap")

// canHijack follows wrappers as http.ResponseController does.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case *statusWriter: // has Hijack whatever is below it
			w = t.ResponseWriter
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}
