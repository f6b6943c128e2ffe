package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
)

// TestCronFunction runs cron functions on their schedule, in dev and in production: they are told their name and when they were
// due, reach rooms, and may fail without anything following from it.
func TestCronFunction(t *testing.T) {
	for _, dev := range []bool{true, false} {
		t.Run(fmt.Sprint("dev ", dev), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ticks := make(chan string, 100)
				var log logged
				app := &party.App{
					Rooms: []party.Definition{script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
						ticks <- r.Name() + " was told of " + req.URL.Query().Get("at")
					}}.define("chat")},
					Crons: []party.CronHook{
						{Name: "report", Func: func(ctx context.Context, tick party.Tick, lobby *party.Lobby) error {
							in, _ := http.NewRequest("GET", "/?at="+tick.Name+tick.At.UTC().Format("15:04"), nil)
							resp, err := lobby.Party("chat").Get("reports").Fetch(ctx, in)
							if err != nil {
								return err
							}
							return resp.Body.Close()
						}},
						{Name: "failing", Func: func(context.Context, party.Tick, *party.Lobby) error { return errors.New("the report is empty") }},
						{Name: "panicking", Func: func(context.Context, party.Tick, *party.Lobby) error { panic("no paper") }},
					},
				}
				h, err := party.NewHost(app, party.HostOptions{})
				if err != nil {
					t.Fatal(err)
				}
				p, pipes := bubblePlatform(t, platform.Options{
					Dev: dev, Logger: slog.New(slog.NewTextHandler(&log, nil)),
					Crons: map[string]string{"report": "30 */2 * * *", "failing": "0 1 * * *", "panicking": "0 2 * * *"},
				})
				p.SetHost(h)
				time.Sleep(5 * time.Hour) // a bubble begins at midnight
				synctest.Wait()
				close(ticks)
				var got []string
				for tick := range ticks {
					got = append(got, tick)
				}
				if want := []string{"report00:30", "report02:30", "report04:30"}; fmt.Sprint(got) != "[reports was told of "+strings.Join(want, " reports was told of ")+"]" {
					t.Errorf("got %q", got)
				}
				for _, want := range []string{"cron=failing", "the report is empty", "cron=panicking", "no paper"} {
					if !strings.Contains(log.String(), want) {
						t.Errorf("the log has no %q: %s", want, log.String())
					}
				}
				ticksAgain(t, pipes, dev)
			})
		})
	}
}

// ticksAgain calls a cron function by its URL, which works in dev only.
func ticksAgain(t *testing.T, p *pipes, dev bool) {
	t.Helper()
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/__scheduled__?cron=failing", 500, ""},
		{"/__scheduled__?cron=nothing", 404, "there is no cron function of that name; there is: report, failing, panicking\n"},
	} {
		want := answer{status: test.status, body: test.body}
		if !dev {
			want = answer{status: 404, body: "Not found\n"}
		}
		a, ok := arrived(p.request("POST", test.path))
		if !ok || a.status != want.status || want.body != "" && a.body != want.body {
			t.Errorf("%s: got %d %q, want %d %q", test.path, a.status, a.body, want.status, want.body)
		}
	}
}

// TestSchedules says what is wrong with the schedules that a program gives its server.
func TestSchedules(t *testing.T) {
	app := &party.App{
		Rooms: []party.Definition{script{}.define("chat")},
		Crons: []party.CronHook{{Name: "report", Func: func(context.Context, party.Tick, *party.Lobby) error { return nil }}},
	}
	for _, test := range []struct {
		crons map[string]string
		want  string
	}{
		{map[string]string{"report": "@daily"}, ""},
		{map[string]string{"report": "when it rains"}, `cron "report"`},
		{map[string]string{"reports": "@daily"}, `there is no cron function "reports"`},
	} {
		s, err := server.New(quiet(), server.App(app), server.Crons(test.crons))
		if got := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(got, test.want) {
			t.Errorf("%v: got %v, want %s", test.crons, err, test.want)
		}
		if s != nil {
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
