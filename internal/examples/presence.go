package examples

import (
	"context"
	"net/http"
	"slices"

	party "github.com/goparty-dev/party/runtime"
)

// Presence tells who is there. Somebody with two tabs, or whose old connection lingers while the new one is open, is
// there once.
//
//party:room hibernate
type Presence struct {
	party.Room
}

// OnConnect lists who is there for the newcomer, and tells the others, unless they knew.
func (p *Presence) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	there := []string{}
	known := false
	for other := range p.Connections() {
		known = known || other != conn && other.ID() == conn.ID()
		if !slices.Contains(there, other.ID()) {
			there = append(there, other.ID())
		}
	}
	slices.Sort(there)
	if err := conn.Send(party.Event("there", map[string]any{"ids": there})); err != nil || known {
		return err
	}
	return p.Broadcast(party.Event("came", map[string]string{"id": conn.ID()}), party.ExceptID(conn.ID()))
}

// OnClose tells the others, unless another connection of the same client is open.
func (p *Presence) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	if _, open := p.Connection(conn.ID()); open {
		return
	}
	if err := p.Broadcast(party.Event("went", map[string]string{"id": conn.ID()})); err != nil {
		p.Logger().Error("tell who went", "err", err)
	}
}
