package examples

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	party "github.com/goparty-dev/party/runtime"
)

// userHeader carries who has signed in from the hook to the room.
const userHeader = "X-User"

// SignedIn lets in who has a token: "ada." and the name's HMAC under SESSION_SECRET. The room is told who it is by a header,
// which what comes from outside cannot set.
//
//party:before-connect members
//party:before-request members
func SignedIn(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	user, ok := verified(r.URL.Query().Get("token"), lobby.Env().Get("SESSION_SECRET"))
	if !ok {
		return nil, party.Reject(http.StatusUnauthorized, "sign in first")
	}
	r.Header.Set(userHeader, user)
	return r, nil
}

// Token is what a login hands out.
func Token(user, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(user))
	return user + "." + hex.EncodeToString(mac.Sum(nil))
}

func verified(token, secret string) (user string, ok bool) {
	user, _, ok = strings.Cut(token, ".")
	return user, ok && secret != "" && hmac.Equal([]byte(Token(user, secret)), []byte(token))
}

// Members is a room for people who have signed in.
//
//party:room hibernate
type Members struct {
	party.Room
}

// OnConnect keeps who it is with the connection.
func (m *Members) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return conn.SetState(r.Header.Get(userHeader))
}

// OnMessage relays a message under its sender's name.
func (m *Members) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	user, err := party.StateOf[string](conn)
	if err != nil {
		return err
	}
	return m.Broadcast(party.Text(user + ": " + msg.Text()))
}

// OnRequest says who asks.
func (m *Members) OnRequest(w http.ResponseWriter, r *http.Request) {
	if _, err := w.Write([]byte("hello " + r.Header.Get(userHeader))); err != nil {
		m.Logger().Error("greet", "err", err)
	}
}
