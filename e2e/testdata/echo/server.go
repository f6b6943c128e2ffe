package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// version changes under the tests' feet.
const version = "v1"

// Echo answers every message with its number on this connection.
//
//party:room main hibernate
type Echo struct {
	party.Room
}

func (e *Echo) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	n, err := party.StateOf[int](conn)
	if err != nil {
		return err
	}
	if err := conn.SetState(n + 1); err != nil {
		return err
	}
	total, _, err := party.Get[int](ctx, e.Storage(), "total")
	if err != nil {
		return err
	}
	if err := e.Storage().Put(ctx, "total", total+1); err != nil {
		return err
	}
	return conn.Send(party.Text(fmt.Sprintf("%s %s #%d", version, msg.Text(), n)))
}

func (e *Echo) OnAlarm(ctx context.Context) error {
	return e.Broadcast(party.Text("alarm in " + e.Name() + " by " + version))
}

func (e *Echo) OnRequest(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("do") {
	case "exit":
		os.Exit(3)
	case "panic":
		go panic("boom outside a callback")
		time.Sleep(time.Minute)
	case "alarm":
		e.SetAlarm(time.Now().Add(5 * time.Second))
	case "broadcast":
		e.Broadcast(party.Text(r.URL.Query().Get("text")))
	}
	total, _, err := party.Get[int](r.Context(), e.Storage(), "total")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s %s %d", version, e.Env().Get("GREETING"), total)
}

// Plain keeps its value while sockets are open.
//
//party:room
type Plain struct {
	party.Room
	started bool
}

func (p *Plain) OnStart(ctx context.Context) error {
	p.started = true
	return nil
}

func (p *Plain) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return conn.Send(party.Text(fmt.Sprintf("%s connect resumed=%v started=%v from=%s", version, conn.Resumed(), p.started, r.URL.Query().Get("from"))))
}

func (p *Plain) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return p.Broadcast(msg, party.Except(conn))
}
