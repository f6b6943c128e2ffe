package examples

import (
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
)

func TestSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &party.App{
			Rooms:         []party.Definition{party.Define[Parlour]("parlour"), party.Define[Greeter]("greeter")},
			Fetch:         Front,
			Socket:        Knock,
			BeforeConnect: []party.BeforeHook{{Party: "parlour", Func: NotWhenFull}},
			Crons:         []party.CronHook{{Name: "nightly", Func: Nightly}},
		}
		s := partytest.New(t, app,
			partytest.Vars(map[string]any{"GREETING": "hello", "MAX_GUESTS": 2, "LANGUAGES": []string{"English", "Greek"}}),
			partytest.Assets(fstest.MapFS{"pages/about.html": {Data: []byte("<h1>About")}}),
			partytest.Crons(map[string]string{"nightly": "@daily"}),
			partytest.Idle(100*time.Hour), // the greeter counts in memory
		)
		wantResponse(t, s.Request("GET", "/hello", ""), 200, "hello in English and Greek, day 0")
		wantResponse(t, s.Request("GET", "/about", ""), 200, "<h1>About")
		wantResponse(t, s.Request("GET", "/nothing", ""), 404, "Not found\n")
		lost := s.Connect("/nowhere")
		lost.Expect("there is no /nowhere")
		if got, want := lost.Closed(), (party.CloseEvent{Code: 1001, Reason: "nothing here", Clean: true}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		s.Connect("/parties/parlour/blue?_pk=ada").Expect("hello ada")
		bob := s.Connect("/parties/parlour/blue?_pk=bob")
		bob.Expect("hello bob")
		_, resp, err := s.TryConnect("/parties/parlour/blue?_pk=eve", nil)
		if err == nil || resp == nil {
			t.Fatalf("a third guest: %v, %v", resp, err)
		}
		wantResponse(t, resp, 503, "the room is full\n")
		bob.Close(1000, "")
		synctest.Wait() // the room knows
		s.Connect("/parties/parlour/blue?_pk=eve").Expect("hello eve")
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		wantResponse(t, s.Request("GET", "/hello", ""), 200, "hello in English and Greek, day 2")
	})
}
