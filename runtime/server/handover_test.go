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

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// TestHandOverCallbacks shows what rooms see of new code.
func TestHandOverCallbacks(t *testing.T) {
	for _, test := range []struct {
		name      string
		opts      []party.DefineOption
		events    string // of the new code, before anything happens
		afterward string // once something has
	}{
		{"without hibernation", nil, "start; connect a true red; connect b true ", ""},
		{"with hibernation", []party.DefineOption{party.AsHibernating()}, "", "start"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inPlatform(t, platform.Options{}, func(p *platform.Platform, in *pipes) {
				events := make(chan string, 100)
				p.SetHost(host(t, party.HostOptions{}, sleepy(events).define("chat", test.opts...)))
				a := in.mustDial("/party/x?_pk=a&tag=red")
				b := in.mustDial("/party/x?_pk=b")
				for range 3 {
					a.say(t, "x")
				}
				synctest.Wait()
				a.take()
				drain(events)
				<-p.SetHost(host(t, party.HostOptions{}, sleepy(events).define("chat", test.opts...)))
				if got := drain(events); got != test.events {
					t.Errorf("at once: got %q, want %q", got, test.events)
				}
				a.say(t, "x")
				synctest.Wait()
				if got := a.take(); got != "value 1 state 4 tags a+red of a,b" {
					t.Errorf("got %q", got)
				}
				if got := drain(events); got != test.afterward {
					t.Errorf("then: got %q, want %q", got, test.afterward)
				}
				b.Close()
				if got := drain(events); got != "close b 1006 0 of a" {
					t.Errorf("close: got %q", got)
				}
			})
		})
	}
}

// inPlatform runs fn in a bubble with a platform that has no host yet.
func inPlatform(t *testing.T, o platform.Options, fn func(p *platform.Platform, in *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Store == nil {
			o.Store = memory.New()
		}
		o.Logger = slog.New(slog.DiscardHandler)
		p, err := platform.New(o)
		if err != nil {
			t.Fatal(err)
		}
		in := startPipes(t, p)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			if err := p.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
		fn(p, in)
	})
}

// waiting awaits what its messages say: "5m", and "forever 5m", which ignores its context.
func waiting(gen int, calls chan<- string) script {
	return script{
		message: func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
			calls <- fmt.Sprint(gen, " ", msg.Text())
			defer func() { calls <- fmt.Sprint(gen, " end of ", msg.Text()) }()
			text, forever := strings.CutPrefix(msg.Text(), "forever ")
			d, err := time.ParseDuration(text)
			if err != nil {
				return c.Send(party.Text(fmt.Sprint(gen, " ", msg.Text())))
			}
			if forever {
				ctx = context.WithoutCancel(ctx)
				r.Await(ctx, func(context.Context) error { time.Sleep(d); return nil })
			} else {
				err = r.Await(ctx, func(ctx context.Context) error { return pause(ctx, d) })
			}
			return c.Send(party.Text(fmt.Sprint(gen, " ", msg.Text(), " ", err)))
		},
		connect: func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) error {
			if d, err := time.ParseDuration(req.URL.Query().Get("wait")); err == nil {
				return r.Await(ctx, func(context.Context) error { time.Sleep(d); return nil })
			}
			return nil
		},
		tags: func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) ([]string, error) {
			if d, err := time.ParseDuration(req.URL.Query().Get("tagwait")); err == nil {
				return nil, r.Await(ctx, func(context.Context) error { time.Sleep(d); return nil })
			}
			return nil, nil
		},
		request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
			if d, err := time.ParseDuration(req.URL.Query().Get("wait")); err == nil {
				r.Await(context.WithoutCancel(req.Context()), func(context.Context) error { time.Sleep(d); return nil })
			}
			fmt.Fprint(w, gen)
		},
		alarm: func(ctx context.Context, r *scripted) error {
			calls <- fmt.Sprint(gen, " alarm")
			if gen == 1 {
				return r.Await(context.WithoutCancel(ctx), func(context.Context) error { time.Sleep(time.Hour); return nil })
			}
			return nil
		},
		start: func(_ context.Context, r *scripted) error {
			if _, set := r.Alarm(); !set && r.Name() == "alarm" && gen == 1 {
				return r.SetAlarm(time.Now().Add(time.Minute))
			}
			return nil
		},
	}
}

// TestHandOverOfAwaits shows what becomes of callbacks that are in an Await: they
// get grace, then their contexts end, then they are abandoned. None of their messages comes twice.
func TestHandOverOfAwaits(t *testing.T) {
	const grace = 10 * time.Second
	for _, test := range []struct {
		say   string
		first string // what the client gets of the old code
		calls string
		moved time.Duration // when the room is on the new code
	}{
		{"5s", "1 5s <nil>", "1 5s; 1 end of 5s", 5 * time.Second},
		{"5m", "1 5m context canceled", "1 5m; 1 end of 5m", grace},
		{"forever 5m", "", "1 forever 5m", 2 * grace},
	} {
		t.Run(test.say, func(t *testing.T) {
			inPlatform(t, platform.Options{Grace: grace}, func(p *platform.Platform, in *pipes) {
				calls := make(chan string, 100)
				p.SetHost(host(t, party.HostOptions{}, waiting(1, calls).define("chat")))
				c := in.mustDial("/party/x")
				c.say(t, test.say)
				synctest.Wait()
				began := time.Now()
				moved := p.SetHost(host(t, party.HostOptions{}, waiting(2, calls).define("chat")))
				c.say(t, "next") // waits for the new code
				<-moved
				if got := time.Since(began); got != test.moved {
					t.Errorf("moved after %v, want %v", got, test.moved)
				}
				synctest.Wait()
				if got, want := c.take(), strings.TrimSpace(test.first+" 2 next"); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if got, want := drain(calls), test.calls+"; 2 next; 2 end of next"; got != want {
					t.Errorf("calls: got %q, want %q", got, want)
				}
				time.Sleep(10 * time.Minute) // the abandoned one comes to its end and has no effect
				synctest.Wait()
				if got := c.take(); got != "" {
					t.Errorf("later: got %q", got)
				}
				c.say(t, "last")
				synctest.Wait()
				if got := c.take(); got != "2 last" {
					t.Errorf("later: got %q", got)
				}
			})
		})
	}
}

// TestHandOverOfWaitingClients answers requests and upgrades whose callbacks are abandoned.
func TestHandOverOfWaitingClients(t *testing.T) {
	inPlatform(t, platform.Options{Grace: time.Second}, func(p *platform.Platform, in *pipes) {
		calls := make(chan string, 100)
		p.SetHost(host(t, party.HostOptions{}, waiting(1, calls).define("chat")))
		request := in.request("GET", "/party/x?wait=1h")
		quick := in.request("GET", "/party/y?wait=500ms")
		dialled := make(chan error, 2)
		for _, q := range []string{"wait", "tagwait"} {
			go func() {
				_, err := in.dial("/party/x?" + q + "=1h")
				dialled <- err
			}()
		}
		synctest.Wait()
		<-p.SetHost(host(t, party.HostOptions{}, waiting(2, calls).define("chat")))
		if a, ok := arrived(request); !ok || a.status != 500 {
			t.Errorf("request: got %v, %v, want 500", a, ok)
		}
		if a, ok := arrived(quick); !ok || a.body != "1" {
			t.Errorf("quick request: got %v, %v", a, ok)
		}
		for range 2 {
			if err, ok := arrived(dialled); !ok || !errors.Is(err, websocket.ErrBadHandshake) {
				t.Errorf("upgrade: got %v, %v, want a refusal", err, ok)
			}
		}
		if got := in.get("/party/x"); got != "2" {
			t.Errorf("afterwards: got %q", got)
		}
		time.Sleep(2 * time.Hour)
	})
}

// TestHandOverOfAlarm shows that an alarm whose callback is abandoned rings again, in the new code.
func TestHandOverOfAlarm(t *testing.T) {
	inPlatform(t, platform.Options{Grace: time.Second}, func(p *platform.Platform, in *pipes) {
		calls := make(chan string, 100)
		p.SetHost(host(t, party.HostOptions{}, waiting(1, calls).define("chat")))
		in.get("/party/alarm")
		time.Sleep(time.Minute)
		if got := drain(calls); got != "1 alarm" {
			t.Fatalf("got %q", got)
		}
		<-p.SetHost(host(t, party.HostOptions{}, waiting(2, calls).define("chat")))
		time.Sleep(time.Minute)
		if got := drain(calls); got != "2 alarm" {
			t.Errorf("in the new code: got %q", got)
		}
		time.Sleep(2 * time.Hour)
		if got := drain(calls); got != "" {
			t.Errorf("later: got %q", got)
		}
	})
}

// TestHandOverWithHeldCommits changes the code while what the old code has sent
// waits for the disk: it arrives, and the new code knows who has joined and with which state.
func TestHandOverWithHeldCommits(t *testing.T) {
	for _, hibernate := range []bool{false, true} {
		t.Run(fmt.Sprint("hibernate ", hibernate), func(t *testing.T) {
			store := newHeldStore()
			inPlatform(t, platform.Options{Store: store}, func(p *platform.Platform, in *pipes) {
				var opts []party.DefineOption
				if hibernate {
					opts = append(opts, party.AsHibernating())
				}
				s := gated
				s.message = func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error {
					if msg.Text() == "who" {
						v, err := party.StateOf[string](c)
						return errors.Join(err, c.Send(party.Text(ids(r)+":"+v)))
					}
					return gated.message(ctx, r, c, msg)
				}
				newHost := func() link.Host { return host(t, party.HostOptions{}, s.define("chat", opts...)) }
				p.SetHost(newHost())
				a := in.mustDial("/party/x?_pk=a")
				store.hold()
				post := in.request("POST", "/party/x")
				synctest.Wait()
				a.say(t, "write state:s send:1 all:2")
				joined := make(chan *reader, 1)
				go func() { joined <- in.mustDial("/party/x?_pk=b&write") }()
				synctest.Wait()
				moved := p.SetHost(newHost())
				a.say(t, "who")
				if got := a.take(); got != "" {
					t.Errorf("before the commit: got %q", got)
				}
				if _, ok := arrived(post); ok {
					t.Error("answered before the commit")
				}
				store.release()
				<-moved
				if x, ok := arrived(post); !ok || x.status != 200 || x.body != "1" {
					t.Errorf("POST: got %v, %v", x, ok)
				}
				b, ok := arrived(joined)
				if !ok {
					t.Fatal("the newcomer is not in")
				}
				synctest.Wait()
				if got := a.take(); got != "1 2 a,b:s" {
					t.Errorf("a: got %q", got)
				}
				if got := b.take(); got != "hello" && got != "hello hello" { // without hibernation OnConnect runs again
					t.Errorf("b: got %q", got)
				}
			})
		})
	}
}

// TestHandOversOverlap changes the code again while rooms are still leaving the last one. Every hand-over ends.
func TestHandOversOverlap(t *testing.T) {
	inPlatform(t, platform.Options{Grace: time.Minute}, func(p *platform.Platform, in *pipes) {
		calls := make(chan string, 100)
		p.SetHost(host(t, party.HostOptions{}, waiting(0, calls).define("chat")))
		c := in.mustDial("/party/x")
		c.say(t, "30s")
		synctest.Wait()
		began := time.Now()
		var all []<-chan struct{}
		for gen := range 3 {
			all = append(all, p.SetHost(host(t, party.HostOptions{}, waiting(gen+1, calls).define("chat"))))
			time.Sleep(time.Second)
		}
		for n, moved := range all {
			<-moved
			if got := time.Since(began); got != 30*time.Second {
				t.Errorf("hand-over %d ended after %v, before the room had left", n, got)
			}
		}
		c.say(t, "next")
		synctest.Wait()
		if got := c.take(); got != "0 30s <nil> 3 next" {
			t.Errorf("got %q", got)
		}
	})
}

// TestHandOverWithoutTheParty takes code away: the hand-over ends, and who writes to the room learns that it is gone.
func TestHandOverWithoutTheParty(t *testing.T) {
	inPlatform(t, platform.Options{}, func(p *platform.Platform, in *pipes) {
		p.SetHost(host(t, party.HostOptions{}, script{message: echo}.define("chat"), script{}.define("other")))
		c := in.mustDial("/parties/chat/x")
		<-p.SetHost(host(t, party.HostOptions{}, script{}.define("other")))
		c.say(t, "hello?")
		if _, ok := arrived(c.ended); !ok || c.closeCode() != 1011 {
			t.Errorf("got close %d, %v, want 1011", c.closeCode(), ok)
		}
		if a, ok := arrived(in.request("GET", "/parties/chat/x")); !ok || a.status != 404 {
			t.Errorf("got %v, %v", a, ok)
		}
	})
}

// TestEventsWaitForTheFirstHost shows a platform that is up before its host.
func TestEventsWaitForTheFirstHost(t *testing.T) {
	inPlatform(t, platform.Options{}, func(p *platform.Platform, in *pipes) {
		early := in.request("GET", "/party/x")
		if a, ok := arrived(early); ok {
			t.Errorf("answered %v", a)
		}
		p.SetHost(host(t, party.HostOptions{}, script{request: say("ok")}.define("chat")))
		if a, ok := arrived(early); !ok || a.body != "ok" {
			t.Errorf("got %v, %v", a, ok)
		}
	})
}
