package examples

import (
	"context"
	"errors"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// Cursor is where somebody points.
type Cursor struct {
	ID      string  `json:"id"`
	Country string  `json:"country,omitempty"` // as the proxy in front says
	X       float64 `json:"x"`
	Y       float64 `json:"y"`
}

// Cursors shows everybody where the others point.
//
//party:room hibernate
type Cursors struct {
	party.Room
}

// OnConnect shows a newcomer who is there. Where somebody points is the state of the connection, so nothing is
// kept in memory and the room can sleep.
func (c *Cursors) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	all := []Cursor{}
	for other := range c.Connections() {
		if other == conn {
			continue
		}
		cursor, err := party.StateOf[Cursor](other)
		if err != nil {
			return err
		}
		all = append(all, cursor)
	}
	return errors.Join(
		conn.SetState(Cursor{ID: conn.ID(), Country: r.Header.Get("CF-IPCountry")}),
		conn.Send(party.Event("sync", map[string]any{"cursors": all})),
	)
}

// OnMessage takes {"x": 1, "y": 2}. A place that is a moment old is worth nothing, so it waits for nothing.
func (c *Cursors) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	cursor, err := party.StateOf[Cursor](conn)
	if err != nil {
		return err
	}
	var at struct{ X, Y float64 }
	if err := msg.Decode(&at); err != nil {
		return err
	}
	cursor.X, cursor.Y = at.X, at.Y
	if err := conn.SetState(cursor); err != nil {
		return err
	}
	return c.Broadcast(party.Event("update", cursor), party.Except(conn), party.Volatile())
}

// OnClose takes the cursor away.
func (c *Cursors) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	if err := c.Broadcast(party.Event("remove", map[string]string{"id": conn.ID()})); err != nil {
		c.Logger().Error("remove cursor", "err", err)
	}
}
