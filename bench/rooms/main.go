// Rooms is our side of the benchmark: a small room program, served as a built
// binary is. The bench command builds and starts it; program hub is what it is measured against.
package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/goparty-dev/party/bench/internal/probe"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// Echo sends each message back to its sender, and answers requests.
type Echo struct{ party.Room }

// OnMessage implements party.Messenger.
func (e *Echo) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(msg)
}

// OnRequest implements party.Requester.
func (e *Echo) OnRequest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "hello from a room\n")
}

// Relay sends each message to everybody.
type Relay struct{ party.Room }

// OnMessage implements party.Messenger.
func (r *Relay) OnMessage(_ context.Context, _ *party.Conn, msg party.Message) error {
	return r.Broadcast(msg)
}

// Ledger stores what it is told, "key value", and acknowledges with the same message.
type Ledger struct{ party.Room }

// OnMessage implements party.Messenger.
func (l *Ledger) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	key, value, _ := strings.Cut(msg.Text(), " ")
	if err := l.Storage().Put(ctx, key, []byte(value)); err != nil {
		return err
	}
	return conn.Send(msg)
}

// Idle does nothing. It counts its values in memory.
type Idle struct{ party.Room }

// OnStart implements party.Starter.
func (i *Idle) OnStart(context.Context) error {
	probe.Live.Add(1)
	runtime.AddCleanup(i, func(struct{}) { probe.Live.Add(-1) }, struct{}{})
	return nil
}

// OnRequest implements party.Requester.
func (i *Idle) OnRequest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "idle\n")
}

// Parked is Idle in a party that hibernates.
type Parked struct{ Idle }

func main() {
	if m := os.Getenv("BENCH_MANIFEST"); m != "" {
		server.Embed([]byte(m), nil)
	}
	server.Main(&party.App{
		Rooms: []party.Definition{
			party.Define[Echo]("echo", party.AsMain()),
			party.Define[Relay]("relay"),
			party.Define[Ledger]("ledger"),
			party.Define[Idle]("idle"),
			party.Define[Parked]("parked", party.AsHibernating()),
		},
		Fetch: func(w http.ResponseWriter, r *http.Request, _ *party.Lobby) { probe.Handler(w, r) },
	})
}
