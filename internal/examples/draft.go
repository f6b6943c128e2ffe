package examples

import (
	"context"
	"net/http"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// draftLife is how long a draft is kept when nobody looks at it.
const draftLife = 24 * time.Hour

// Draft is a text that is thrown away a day after its last visitor has left.
//
//party:room hibernate
type Draft struct {
	party.Room
}

// OnConnect shows the text, and keeps it as long as somebody is there.
func (d *Draft) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	if err := d.DeleteAlarm(); err != nil {
		return err
	}
	text, _, err := party.Get[string](ctx, d.Storage(), "text")
	if err != nil {
		return err
	}
	return conn.Send(party.Text(text))
}

// OnMessage replaces the text.
func (d *Draft) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	if err := d.Storage().Put(ctx, "text", msg.Text()); err != nil {
		return err
	}
	return d.Broadcast(msg, party.Except(conn))
}

// OnClose sets the alarm when the last one leaves. It outlives restarts, as a timer would not.
func (d *Draft) OnClose(ctx context.Context, conn *party.Conn, ev party.CloseEvent) {
	for range d.Connections() {
		return
	}
	if err := d.SetAlarm(time.Now().Add(draftLife)); err != nil {
		d.Logger().Error("set alarm", "err", err)
	}
}

// OnAlarm throws the text away.
func (d *Draft) OnAlarm(ctx context.Context) error { return d.Storage().DeleteAll(ctx) }
