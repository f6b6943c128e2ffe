package examples

import (
	"context"
	"fmt"
	"net/http"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Playback is what a film does. Position is where it was At that time.
type Playback struct {
	Playing  bool
	Position time.Duration
	At       time.Time
}

// now is where the film is.
func (p Playback) now() time.Duration {
	if p.Playing {
		return p.Position + time.Since(p.At)
	}
	return p.Position
}

// Watch lets people watch a film together: who plays, pauses or seeks does it for everybody, and who comes later is where the
// others are.
//
//party:room hibernate
type Watch struct {
	party.Room
	film Playback
}

// OnStart finds out where the film is.
func (w *Watch) OnStart(ctx context.Context) error {
	_, err := w.Storage().Get(ctx, "film", &w.film)
	return err
}

// OnConnect shows the newcomer where the film is.
func (w *Watch) OnConnect(ctx context.Context, conn *party.Conn, r *http.Request) error {
	return conn.Send(w.view())
}

// OnMessage takes {"do": "play"}, {"do": "pause"} and {"do": "seek", "to": 90}, in seconds.
func (w *Watch) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	var m struct {
		Do string
		To float64
	}
	if err := msg.Decode(&m); err != nil {
		return err
	}
	film := Playback{Playing: w.film.Playing, Position: w.film.now(), At: time.Now()}
	switch m.Do {
	case "play":
		film.Playing = true
	case "pause":
		film.Playing = false
	case "seek":
		film.Position = time.Duration(max(0, m.To) * float64(time.Second))
	default:
		return fmt.Errorf("got %q: say play, pause or seek", m.Do)
	}
	w.film = film
	if err := w.Storage().Put(ctx, "film", film); err != nil {
		return err
	}
	return w.Broadcast(w.view())
}

func (w *Watch) view() party.Message {
	return party.JSON(map[string]any{"playing": w.film.Playing, "at": w.film.now().Seconds()})
}
