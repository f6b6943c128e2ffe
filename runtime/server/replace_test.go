package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
)

// storedCount answers each message with what is stored as "n", one more each time, and how often it was asked since it
// started. An alarm is told to everybody.
func storedCount() script {
	return script{
		message: func(ctx context.Context, r *scripted, c *party.Conn, _ party.Message) error {
			n, _, err := party.Get[int](ctx, r.Storage(), "n")
			r.n++
			return errors.Join(err, r.Storage().Put(ctx, "n", n+1), c.Send(party.Text(fmt.Sprintf("%d in %d", n+1, r.n))))
		},
		alarm: func(_ context.Context, r *scripted) error { return r.Broadcast(party.Text("alarm")) },
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			n, _, _ := party.Get[int](req.Context(), r.Storage(), "n")
			if req.Method == http.MethodPost {
				r.SetAlarm(time.Now().Add(time.Hour))
			}
			fmt.Fprint(w, n)
		},
	}
}

func stored(n int) []storage.Entry {
	return []storage.Entry{{Key: "n", Value: []byte(strconv.Itoa(n))}}
}

// TestReplace replaces what a room has stored while a client is in it.
func TestReplace(t *testing.T) {
	for _, hibernate := range []bool{false, true} {
		t.Run(fmt.Sprint("hibernate ", hibernate), func(t *testing.T) {
			p, hs := serve(t, platform.Options{})
			var opts []party.DefineOption
			if hibernate {
				opts = append(opts, party.AsHibernating())
			}
			p.SetHost(host(t, party.HostOptions{}, storedCount().define("chat", opts...)))
			key := storage.Room{Party: "chat", Name: "x"}
			c := dial(t, hs, "/party/x")
			c.say("a")
			c.want("1 in 1")
			if err := p.Replace(t.Context(), key, platform.Replacement{Entries: stored(40)}); !errors.Is(err, platform.ErrHasData) {
				t.Fatalf("without force: got %v, want %v", err, platform.ErrHasData)
			}
			c.say("b")
			c.want("2 in 2") // a refusal leaves it in memory
			if err := p.Replace(t.Context(), key, platform.Replacement{Entries: stored(40), Force: true}); err != nil {
				t.Fatal(err)
			}
			c.say("c")
			c.want("41 in 1")
			visit(t, hs.URL+"/party/x").check(t, 200, "41")
		})
	}
}

// TestReplaceAlarm: a room's alarm is part of what is stored.
func TestReplaceAlarm(t *testing.T) {
	p, hs := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{}, storedCount().define("chat", party.AsHibernating())))
	key := storage.Room{Party: "chat", Name: "x"}
	c := dial(t, hs, "/party/x")
	fetch(t, "POST", hs.URL+"/party/x", "").check(t, 200, "0")
	if err := p.Replace(t.Context(), key, platform.Replacement{}); !errors.Is(err, platform.ErrHasData) {
		t.Errorf("an alarm is data: got %v, want %v", err, platform.ErrHasData)
	}
	if err := p.Replace(t.Context(), key, platform.Replacement{Force: true}); err != nil {
		t.Fatal(err)
	}
	if set, err := p.FireAlarm(t.Context(), key); set || err != nil {
		t.Errorf("the alarm of before is still there (%v, %v)", set, err)
	}
	if err := p.Replace(t.Context(), key, platform.Replacement{Alarm: time.Now()}); err != nil {
		t.Fatal(err)
	}
	c.want("alarm")
}

func TestReplaceRefused(t *testing.T) {
	p, _ := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{}, storedCount().define("chat")))
	for room, want := range map[storage.Room]error{
		{Party: "char", Name: "x"}:                      platform.ErrNoParty,
		{Party: link.SocketParty, Name: "x"}:            platform.ErrNoParty,
		{Party: "chat"}:                                 platform.ErrRoomName,
		{Party: "chat", Name: strings.Repeat("x", 513)}: platform.ErrRoomName,
		{Party: "chat", Name: "\xff"}:                   platform.ErrRoomName,
	} {
		if err := p.Replace(t.Context(), room, platform.Replacement{Entries: stored(1)}); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", room, err, want)
		}
	}
}

// TestReplaceUnderTraffic: every message is answered once, by data of before or of after.
func TestReplaceUnderTraffic(t *testing.T) {
	p, hs := serve(t, platform.Options{})
	p.SetHost(host(t, party.HostOptions{}, storedCount().define("chat", party.AsHibernating())))
	key := storage.Room{Party: "chat", Name: "x"}
	c := dial(t, hs, "/party/x")
	const messages, step = 600, 1_000_000
	done := make(chan error, 1)
	go func() {
		for n := 1; n <= 5; n++ {
			if err := p.Replace(t.Context(), key, platform.Replacement{Entries: stored(n * step), Force: true}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	last := 0
	for range messages {
		c.say("x")
		_, data, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(string(data), " ")
		n, err := strconv.Atoi(text)
		if err != nil || n != last+1 && (n <= last || n%step != 1) {
			t.Fatalf("got %q after %d", data, last)
		}
		last = n
	}
	if err := within(t, done, "replace"); err != nil {
		t.Fatal(err)
	}
}
