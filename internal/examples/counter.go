package examples

import (
	"context"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// Counter counts its visitors for good, and shows everybody the count.
//
//party:room hibernate
type Counter struct {
	party.Room
}

// OnConnect counts.
func (c *Counter) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	n, _, err := party.Get[int](ctx, c.Storage(), "visits")
	if err != nil {
		return err
	}
	if err := c.Storage().Put(ctx, "visits", n+1); err != nil {
		return err
	}
	return c.Broadcast(party.JSON(map[string]int{"visits": n + 1}))
}
