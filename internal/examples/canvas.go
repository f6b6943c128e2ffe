package examples

import (
	"context"
	"errors"
	"net/http"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

const (
	canvasSide = 16
	// canvasDelay is how much paint a crash may cost: a stroke is many messages, and one write.
	canvasDelay = time.Second
)

// Canvas is a picture that everybody paints on, a byte a pixel. A message is binary: column, row, colour.
//
//party:room
type Canvas struct {
	party.Room
	pixels  []byte
	pending *party.Timer // of the next write; nil when all is kept
}

// OnStart brings the picture back.
func (c *Canvas) OnStart(ctx context.Context) error {
	ok, err := c.Storage().Get(ctx, "pixels", &c.pixels)
	if !ok {
		c.pixels = make([]byte, canvasSide*canvasSide)
	}
	return err
}

// OnConnect shows all of it.
func (c *Canvas) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return conn.Send(party.Binary(c.pixels))
}

// OnMessage paints, and shows the others.
func (c *Canvas) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	p := msg.Bytes()
	if msg.IsText() || len(p) != 3 || p[0] >= canvasSide || p[1] >= canvasSide {
		return errors.New("want three bytes: column, row, colour")
	}
	c.pixels[int(p[1])*canvasSide+int(p[0])] = p[2]
	if c.pending == nil {
		c.pending = c.After(canvasDelay, c.keep)
	}
	return c.Broadcast(msg, party.Except(conn))
}

// keep writes the picture. The room stays in memory until it has.
func (c *Canvas) keep() {
	c.pending = nil
	if err := c.Storage().Put(context.Background(), "pixels", c.pixels); err != nil {
		c.Logger().Error("keep picture", "err", err)
	}
}
