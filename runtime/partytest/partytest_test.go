package partytest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

// counter counts in memory and in storage, so that a test sees which survives.
type counter struct {
	party.Room
	inMemory int
}

func (c *counter) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	c.inMemory++
	stored, _, err := party.Get[int](ctx, c.Storage(), "n")
	if err != nil {
		return err
	}
	if err := c.Storage().Put(ctx, "n", stored+1); err != nil {
		return err
	}
	if msg.Text() == "remind" {
		if err := c.SetAlarm(time.Now().Add(24 * time.Hour)); err != nil {
			return err
		}
	}
	return conn.Send(party.Text(fmt.Sprintf("memory %d, stored %d", c.inMemory, stored+1)))
}

func (c *counter) OnAlarm(ctx context.Context) error {
	return c.Broadcast(party.Text("alarm in " + c.Name()))
}

func (c *counter) OnRequest(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s", r.Method, c.Env().Get("GREETING"))
}

func app() *party.App {
	return partytest.Rooms(party.Define[counter]("counter", party.AsHibernating()))
}

func TestHibernate(t *testing.T) {
	s := partytest.New(t, app())
	c := s.Connect("/parties/counter/a?_pk=ada")
	c.Say("x")
	c.Expect("memory 1, stored 1")
	s.Hibernate("counter", "a")
	c.Say("x")
	c.Expect("memory 1, stored 2")
	if got, want := c.Close(4000, "bye"), (party.CloseEvent{Code: 4000, Reason: "bye", Clean: true}); got != want {
		t.Errorf("closed with %+v, want %+v", got, want)
	}
}

func TestFireAlarm(t *testing.T) {
	s := partytest.New(t, app())
	c := s.Connect("/parties/counter/a")
	c.Say("remind")
	c.Expect("memory 1, stored 1")
	s.FireAlarm("counter", "a")
	c.Expect("alarm in a")
}

func TestRequestAndVars(t *testing.T) {
	s := partytest.New(t, app(), partytest.Vars(map[string]any{"GREETING": "hello"}))
	resp := s.Request("POST", "/party/a", "body")
	b, err := io.ReadAll(resp.Body)
	if err != nil || string(b) != "POST hello" {
		t.Errorf("got %q, %v, want %q", b, err, "POST hello")
	}
}

func TestTimeIsFreeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := partytest.New(t, app(), partytest.Idle(10*time.Second))
		c := s.Connect("/parties/counter/a")
		c.Say("remind")
		c.Expect("memory 1, stored 1")
		time.Sleep(25 * time.Second) // idle: the room is dropped
		c.Say("x")
		c.Expect("memory 1, stored 2")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		c.Expect("alarm in a")
	})
}
