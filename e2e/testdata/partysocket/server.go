package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	party "github.com/goparty-dev/party/runtime"
)

// Probe tells clients how it sees them, and does what they say.
//
//party:room main hibernate
type Probe struct {
	party.Room
	waited bool
}

func (p *Probe) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	if r.URL.Query().Has("slow") && !p.waited {
		p.waited = true
		return p.Await(ctx, func(context.Context) error {
			<-r.Context().Done() // the client gives up
			return r.Context().Err()
		})
	}
	if r.URL.Query().Has("quiet") {
		return nil
	}
	return conn.Send(party.JSON(map[string]any{
		"party": p.Party(), "room": p.Name(), "id": conn.ID(), "path": r.URL.Path, "query": r.URL.Query(), "uri": conn.URI(),
	}))
}

func (p *Probe) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var code int
	var reason string
	if n, _ := fmt.Sscanf(msg.Text(), "close %d %s", &code, &reason); msg.IsText() && n == 2 {
		return conn.Close(code, reason)
	}
	return conn.Send(msg)
}

func (p *Probe) OnRequest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ids := []string{}
	for c := range p.Connections() {
		ids = append(ids, c.ID())
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "url": r.URL.RequestURI(), "room": p.Name(), "body": string(body), "ids": ids})
}

// SecondParty is reached under another name.
//
//party:room
type SecondParty struct{ Probe }

// guard refuses stale tokens.
//
//party:before-connect
func guard(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	if strings.HasPrefix(r.URL.Query().Get("token"), "stale") {
		return nil, party.Reject(http.StatusForbidden, "a fresh token, please")
	}
	return r, nil
}
