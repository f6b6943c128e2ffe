package examples

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	party "github.com/goparty-dev/party/runtime"
)

// Front answers what no room and no file does: /hello asks a room, /about is a file under another name.
//
//party:fetch
func Front(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
	switch r.URL.Path {
	case "/hello":
		if err := lobby.Party("greeter").Get("front").Forward(w, r); err != nil {
			http.Error(w, "nobody is there to greet you", http.StatusBadGateway)
		}
	case "/about":
		page, err := lobby.Asset(r.Context(), "/pages/about.html")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := w.Write(page); err != nil {
			return // the client has gone
		}
	}
}

// Knock serves sockets that lead to no room.
//
//party:socket
func Knock(ctx context.Context, conn *party.Conn, r *http.Request, lobby *party.Lobby) error {
	return errors.Join(
		conn.Send(party.Text("there is no "+r.URL.Path)),
		&party.CloseError{Code: 1001, Reason: "nothing here"},
	)
}

// Nightly tells the greeter that a day is over.
//
//party:cron nightly
func Nightly(ctx context.Context, tick party.Tick, lobby *party.Lobby) error {
	r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(tick.At.UTC().Format("2006-01-02")))
	if err != nil {
		return err
	}
	resp, err := lobby.Party("greeter").Get("front").Fetch(ctx, r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Greeter greets by its configuration: GREETING is text, MAX_GUESTS a number, LANGUAGES a list.
//
//party:room
type Greeter struct {
	party.Room
	days int
}

// OnRequest greets, and counts the days.
func (g *Greeter) OnRequest(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		g.days++
	}
	var languages []string
	if _, err := g.Env().Decode("LANGUAGES", &languages); err != nil {
		http.Error(w, "configured wrongly", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s in %s, day %d", g.Env().Get("GREETING"), strings.Join(languages, " and "), g.days)
}

// OnMessage greets by socket.
func (g *Greeter) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(party.Text(g.Env().Get("GREETING") + " " + msg.Text()))
}

// Parlour is a room with room for MAX_GUESTS. Who comes in is greeted by the greeter.
//
//party:room
type Parlour struct {
	party.Room
}

// NotWhenFull asks the room itself before a socket is opened, because only a refusal has a status.
//
//party:before-connect parlour
func NotWhenFull(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) (*http.Request, error) {
	_, room := lobby.Target()
	in, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := lobby.Party("parlour").Get(room).Fetch(r.Context(), in)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, party.Reject(resp.StatusCode, "the room is full")
	}
	return r, nil
}

// OnRequest says whether there is a place.
func (p *Parlour) OnRequest(w http.ResponseWriter, r *http.Request) {
	var most int
	if _, err := p.Env().Decode("MAX_GUESTS", &most); err != nil {
		http.Error(w, "configured wrongly", http.StatusInternalServerError)
		return
	}
	guests := 0
	for range p.Connections() {
		guests++
	}
	if guests >= most {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// OnConnect passes on what the greeter says, over a socket of the room's own.
func (p *Parlour) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	greeter, err := p.Lobby().Party("greeter").Get("front").Dial(ctx, "?_pk="+p.Name())
	if err != nil {
		return err
	}
	var greeting party.Message
	err = p.Await(ctx, func(ctx context.Context) (err error) {
		if err := greeter.Send(party.Text(conn.ID())); err != nil {
			return err
		}
		greeting, err = greeter.Receive(ctx)
		return err
	})
	return errors.Join(err, greeter.Close(1000, ""), conn.Send(greeting))
}
