package examples

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Hall is where players wait for an opponent. It hands them the name of a match, which is a room of another party, and
// keeps the score.
//
//party:room main
type Hall struct {
	party.Room
}

// OnMessage takes "play".
func (h *Hall) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() != "play" {
		return fmt.Errorf("got %q: say play", msg.Text())
	}
	if err := conn.SetState("waits"); err != nil {
		return err
	}
	for other := range h.Connections() {
		if waits, err := party.StateOf[string](other); err != nil || waits == "" || other.ID() == conn.ID() {
			continue
		}
		// Both have stopped waiting before the turn is given up in the call.
		if err := errors.Join(conn.SetState(nil), other.SetState(nil)); err != nil {
			return err
		}
		return h.open(ctx, other, conn)
	}
	return nil
}

// open makes a match for two.
func (h *Hall) open(ctx context.Context, first, second *party.Conn) error {
	players := []string{first.ID(), second.ID()}
	name := fmt.Sprintf("%s-%s-%d", first.ID(), second.ID(), time.Now().UnixNano())
	match := h.Lobby().Party("match").Get(name, party.Props(Opening{Hall: h.Name(), Players: players}))
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	resp, err := match.Fetch(ctx, r)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	ready := party.Event("match", map[string]any{"name": name, "players": players})
	return errors.Join(first.Send(ready), second.Send(ready))
}

// OnRequest takes the winner of a match, which only matches can tell: it is refused when it comes from outside.
func (h *Hall) OnRequest(w http.ResponseWriter, r *http.Request) {
	winner := r.URL.Query().Get("winner")
	wins, _, err := party.Get[int](r.Context(), h.Storage(), "wins/"+winner)
	if err == nil {
		err = h.Storage().Put(r.Context(), "wins/"+winner, wins+1)
	}
	if err == nil {
		err = h.Broadcast(party.Event("won", map[string]any{"player": winner, "wins": wins + 1}))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// NotFromOutside keeps requests of clients away from the halls: matches reach them from inside.
//
//party:before-request hall
func NotFromOutside(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	return nil, party.Reject(http.StatusForbidden, "matches report here")
}

// Opening is what a hall gives a match to start with.
type Opening struct {
	Hall    string
	Players []string
}

// Match is a game of Nim: two players take one to three stones in turn; who takes the last one wins.
//
//party:room hibernate
type Match struct {
	party.Room
	game struct {
		Opening
		Stones, Turn int
	}
}

// OnStart takes up the game, or begins it. Nobody but a hall can begin one.
func (m *Match) OnStart(ctx context.Context) error {
	begun, err := m.Storage().Get(ctx, "game", &m.game)
	if err != nil || begun {
		return err
	}
	if ok, err := m.Props(&m.game.Opening); err != nil || !ok {
		return errors.Join(err, errors.New("there is no such match"))
	}
	m.game.Stones = 7
	return m.Storage().Put(ctx, "game", m.game)
}

// OnRequest is there to be called by the hall, which starts the match.
func (m *Match) OnRequest(w http.ResponseWriter, r *http.Request) {}

// OnConnect lets the players in.
func (m *Match) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	if !slices.Contains(m.game.Players, conn.ID()) {
		return &party.CloseError{Code: 4403, Reason: "not a player of this match"}
	}
	return conn.Send(m.view())
}

// OnMessage takes {"take": 2}.
func (m *Match) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var move struct{ Take int }
	if err := msg.Decode(&move); err != nil {
		return err
	}
	g := &m.game
	if g.Players[g.Turn%2] != conn.ID() || move.Take < 1 || move.Take > min(3, g.Stones) {
		return conn.Send(party.Event("no", struct{}{}))
	}
	g.Stones -= move.Take
	g.Turn++
	if err := errors.Join(m.Storage().Put(ctx, "game", g), m.Broadcast(m.view())); err != nil || g.Stones > 0 {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, "/?winner="+conn.ID(), nil)
	if err != nil {
		return err
	}
	resp, err := m.Lobby().Party("hall").Get(g.Hall).Fetch(ctx, r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (m *Match) view() party.Message {
	return party.Event("stones", map[string]any{"left": m.game.Stones, "turn": m.game.Players[m.game.Turn%2]})
}
