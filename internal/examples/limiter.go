package examples

import (
	"context"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// What a client of a Limited room may say.
const (
	burst    = 5 // messages at once
	perBurst = 5 * time.Second
	warnings = 3 // before it is closed
)

// allowance is how much a client may say. It is the state of its connection, so sleep does not refill it.
type allowance struct {
	Spent  int
	Since  time.Time
	Warned int
}

// Limited relays messages, and sends away who says too much.
//
//party:room hibernate
type Limited struct {
	party.Room
}

// OnMessage relays what is within the allowance.
func (l *Limited) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	a, err := party.StateOf[allowance](conn)
	if err != nil {
		return err
	}
	if now := time.Now(); now.Sub(a.Since) > perBurst {
		a.Spent, a.Since = 0, now
	}
	if a.Spent++; a.Spent > burst {
		if a.Warned++; a.Warned > warnings {
			return conn.Close(1008, "too many messages")
		}
		if err := conn.Send(party.Text("slow down")); err != nil {
			return err
		}
		return conn.SetState(a)
	}
	if err := conn.SetState(a); err != nil {
		return err
	}
	return l.Broadcast(msg)
}
