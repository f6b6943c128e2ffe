package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// ringing is a room whose alarm is set by requests (?in=1m) and tells where and when it rang.
func ringing(rang chan<- string, fail func(n int) error) script {
	began := time.Now()
	calls := 0
	return script{
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			q := req.URL.Query()
			switch {
			case q.Has("in"):
				d, err := time.ParseDuration(q.Get("in"))
				if err == nil {
					err = r.SetAlarm(time.Now().Add(d))
				}
				if err != nil {
					panic(err)
				}
			case q.Has("delete"):
				r.DeleteAlarm()
			}
			at, ok := r.Alarm()
			fmt.Fprint(w, ok)
			if ok {
				fmt.Fprint(w, " ", at.Sub(began).Round(time.Second))
			}
		},
		alarm: func(_ context.Context, r *scripted) error {
			_, set := r.Alarm()
			rang <- fmt.Sprintf("%s %v %v", r.Name(), time.Since(began).Round(time.Second), set)
			calls++
			if fail != nil {
				return fail(calls)
			}
			return nil
		},
	}
}

// after lets time pass and returns what has rung.
func after(d time.Duration, rang <-chan string) string {
	time.Sleep(d)
	synctest.Wait()
	select {
	case s := <-rang:
		return s
	default:
		return ""
	}
}

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		p := bubble(t, server.Rooms(ringing(rang, nil).define("chat")))
		check := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		check(p.get("/party/x"), "false")
		check(p.get("/party/x?in=1h"), "true 1h0m0s")
		check(p.get("/party/y?in=2h"), "true 2h0m0s")
		check(after(time.Hour-time.Second, rang), "") // and the room is long out of memory
		check(p.get("/party/x"), "true 1h0m0s")
		check(after(time.Second, rang), "x 1h0m0s false")
		check(p.get("/party/x"), "false")
		check(after(time.Hour, rang), "y 2h0m0s false")
		// Replaced by a later one, by an earlier one, deleted.
		p.get("/party/x?in=1h")
		p.get("/party/x?in=3h")
		check(after(2*time.Hour, rang), "")
		p.get("/party/x?in=1m")
		check(after(time.Minute, rang), "x 4h1m0s false")
		check(after(10*time.Hour, rang), "")
		p.get("/party/x?in=1h")
		p.get("/party/x?delete")
		check(after(2*time.Hour, rang), "")
		// What is past rings at once.
		p.get("/party/x?in=-1h")
		check(after(0, rang), "x 16h1m0s false")
	})
}

// TestAlarmRetries repeats a failing alarm after 2, 4, 8, … seconds, six times.
func TestAlarmRetries(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func(n int) error
		want []string
	}{
		{"error once", func(n int) error {
			if n == 1 {
				return errors.New("boom")
			}
			return nil
		}, []string{"0s", "2s"}},
		{"panic twice", func(n int) error {
			if n <= 2 {
				panic("boom")
			}
			return nil
		}, []string{"0s", "2s", "6s"}},
		{"always", func(int) error { return errors.New("boom") }, []string{"0s", "2s", "6s", "14s", "30s", "1m2s", "2m6s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rang := make(chan string, 20)
				p := bubble(t, server.Rooms(ringing(rang, test.fail).define("chat")))
				p.get("/party/x?in=0s")
				time.Sleep(time.Hour)
				synctest.Wait()
				close(rang)
				var got []string
				for s := range rang {
					got = append(got, s)
				}
				if len(got) != len(test.want) {
					t.Fatalf("rang %q, want %q", got, test.want)
				}
				for n, at := range test.want {
					if want := "x " + at + " false"; got[n] != want {
						t.Errorf("ring %d: got %q, want %q", n, got[n], want)
					}
				}
				if got := p.get("/party/x"); got != "false" {
					t.Errorf("afterwards: %s", got)
				}
			})
		})
	}
}

// TestAlarmSetInOnAlarm is the way to a repeated alarm; one that fails after it has set another is not repeated.
func TestAlarmSetInOnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		s := ringing(rang, nil)
		ring := s.alarm
		s.alarm = func(ctx context.Context, r *scripted) error {
			ring(ctx, r)
			if r.n++; r.n > 3 {
				return nil
			}
			r.SetAlarm(time.Now().Add(time.Minute))
			return errors.New("boom")
		}
		p := bubble(t, server.WithLimits(server.Limits{Idle: time.Hour}), server.Rooms(s.define("chat")))
		p.get("/party/x?in=1m")
		for n := 1; n <= 4; n++ {
			if got, want := after(time.Minute, rang), fmt.Sprintf("x %dm0s false", n); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if got := after(time.Hour, rang); got != "" {
			t.Errorf("rang once more: %q", got)
		}
	})
}

// TestAlarmSurvivesRestart starts a second server on what the first one left.
func TestAlarmSurvivesRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		d := ringing(rang, nil).define("chat")
		store := memory.New()
		first, err := server.New(quiet(), server.Store(store), server.Rooms(d))
		if err != nil {
			t.Fatal(err)
		}
		startPipes(t, first).get("/party/x?in=1h")
		if err := first.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := after(2*time.Hour, rang); got != "" {
			t.Errorf("rang without a server: %q", got)
		}
		bubble(t, server.Store(store), server.Rooms(d))
		if got := after(0, rang); got != "x 2h0m0s false" {
			t.Errorf("got %q", got)
		}
	})
}

// TestAlarmSurvivesOnDisk is the same with a data folder: an alarm that fails is kept until it succeeds.
func TestAlarmSurvivesOnDisk(t *testing.T) {
	dir := t.TempDir()
	rang := make(chan string, 10)
	fails := true
	d := ringing(rang, func(int) error {
		if fails {
			return errors.New("boom")
		}
		return nil
	}).define("chat")
	for _, fails = range []bool{true, true, false} {
		s, err := server.New(quiet(), server.Data(dir), server.Rooms(d))
		if err != nil {
			t.Fatal(err)
		}
		hs := serveOnce(t, s)
		if len(rang) == 0 && fails {
			visit(t, hs.URL+"/party/a%2Fb?in=0s")
		}
		if got := within(t, rang, "the alarm"); got[:4] != "a/b " {
			t.Errorf("got %q", got)
		}
		hs.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := server.New(quiet(), server.Data(dir), server.Rooms(d))
	if err != nil {
		t.Fatal(err)
	}
	hs := serveOnce(t, s)
	visit(t, hs.URL+"/party/a%2Fb").check(t, 200, "false")
	hs.Close()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestAlarmOfFailingCommit shows that an alarm whose effects could not be made durable rings again.
func TestAlarmOfFailingCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newHeldStore()
		rang := make(chan string, 10)
		p := bubble(t, server.Store(store), server.Rooms(ringing(rang, nil).define("chat")))
		p.get("/party/x?in=1m")
		store.fail(errors.New("disk full"))
		if got := after(time.Minute, rang); got != "x 1m0s false" {
			t.Errorf("got %q", got)
		}
		store.fail(nil)
		if got := after(time.Minute, rang); got != "x 1m2s false" {
			t.Errorf("again: got %q", got)
		}
		if got := p.get("/party/x"); got != "false" {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// TestAlarmUndone shows that an alarm set in a turn that panics is not set.
func TestAlarmUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		s := ringing(rang, nil)
		s.message = func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			r.SetAlarm(time.Now().Add(time.Minute))
			panic("boom")
		}
		p := bubble(t, server.Rooms(s.define("chat")))
		p.get("/party/x?in=1h")
		p.mustDial("/party/x").say(t, "x")
		if got := p.get("/party/x"); got != "true 1h0m0s" {
			t.Errorf("got %q", got)
		}
		if got := after(time.Hour, rang); got != "x 1h0m0s false" {
			t.Errorf("got %q", got)
		}
	})
}

// TestAlarmThatIsDeletedWhileItRings shows that a running OnAlarm goes on, and that none follows.
func TestAlarmThatIsDeletedWhileItRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		s := ringing(rang, nil)
		s.alarm = func(ctx context.Context, r *scripted) error {
			rang <- "begins"
			err := r.Await(ctx, func(ctx context.Context) error { return pause(ctx, time.Minute) })
			rang <- fmt.Sprint("ends ", err)
			return nil
		}
		p := bubble(t, server.Rooms(s.define("chat")))
		p.get("/party/x?in=1h")
		if got := after(time.Hour, rang); got != "begins" {
			t.Fatalf("got %q", got)
		}
		if got := p.get("/party/x?delete"); got != "false" {
			t.Errorf("while it rings: got %q", got)
		}
		if got := after(time.Minute, rang); got != "ends <nil>" {
			t.Errorf("got %q", got)
		}
		if got := after(10*time.Hour, rang); got != "" {
			t.Errorf("rang again: %q", got)
		}
	})
}

// TestDeleteAllKeepsTheAlarm shows that the alarm is not one of the keys. DeleteAlarm removes it.
func TestDeleteAllKeepsTheAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rang := make(chan string, 10)
		s := ringing(rang, nil)
		s.message = func(ctx context.Context, r *scripted, _ *party.Conn, msg party.Message) error {
			if msg.Text() == "alarm too" {
				if err := r.DeleteAlarm(); err != nil {
					return err
				}
			}
			return r.Storage().DeleteAll(ctx)
		}
		p := bubble(t, server.Rooms(s.define("chat")))
		c := p.mustDial("/party/x")
		p.get("/party/x?in=1h")
		c.say(t, "all keys")
		if got := after(time.Hour, rang); got != "x 1h0m0s false" {
			t.Errorf("got %q", got)
		}
		p.get("/party/x?in=1h")
		c.say(t, "alarm too")
		if got := after(10*time.Hour, rang); got != "" {
			t.Errorf("a deleted alarm rang: %q", got)
		}
	})
}
