package server_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// pinned keeps two of its fields. Every message adds its text to them, and to one that is not kept.
type pinned struct {
	party.Room
	notes    []string
	counts   map[string]int
	volatile int
}

func (p *pinned) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	if msg.Text() != "?" {
		p.notes = append(p.notes, msg.Text())
		if p.counts == nil {
			p.counts = make(map[string]int)
		}
		p.counts[msg.Text()]++
		p.volatile++
	}
	if msg.Text() == "panic" {
		panic("asked to")
	}
	return conn.Send(party.Text(fmt.Sprint(p.notes, p.counts, p.volatile)))
}

// pins defines it as generated code does for tags party:"persist,name=…" with that name for its notes.
func pins(notes string, opts ...party.DefineOption) party.Definition {
	d := party.Definition{Name: "pinned", Type: "pinned", New: func() party.Instance {
		p := new(pinned)
		return party.Instance{Room: &p.Room, Message: p, Persist: []party.Persisted{
			party.PersistSlice(notes, &p.notes), party.PersistMap("counts", &p.counts),
		}}
	}}
	for _, o := range opts {
		o(&d)
	}
	return d
}

// TestPersistedFieldsOutliveTheirRoom shows that persisted fields, and no others, are there again after a sleep and a panic.
func TestPersistedFieldsOutliveTheirRoom(t *testing.T) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := bubble(t, server.Rooms(pins("notes", opts...)))
				c := p.mustDial("/parties/pinned/x")
				step := func(c *reader, text, want string) {
					t.Helper()
					c.say(t, text)
					synctest.Wait()
					if got := c.take(); got != want {
						t.Errorf("%s: got %q, want %q", text, got, want)
					}
				}
				step(c, "a", "[a] map[a:1] 1")
				step(c, "panic", "")
				step(c, "a", "[a a] map[a:2] 3")
				if len(opts) == 0 {
					c.Close() // rooms of that kind go when everybody has
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				if len(opts) == 0 {
					c = p.mustDial("/parties/pinned/x")
				}
				step(c, "?", "[a a] map[a:2] 0")
			})
		})
	}
}

// TestPersistedFieldsOutliveNewCode hands rooms over to code that calls a field otherwise, but stores it under its old
// name, and to code that has forgotten that name.
func TestPersistedFieldsOutliveNewCode(t *testing.T) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			inPlatform(t, platform.Options{Store: memory.New()}, func(p *platform.Platform, in *pipes) {
				p.SetHost(host(t, party.HostOptions{}, pins("notes", opts...)))
				c := in.mustDial("/parties/pinned/x")
				step := func(text, want string) {
					t.Helper()
					c.say(t, text)
					synctest.Wait()
					if got := c.take(); got != want {
						t.Errorf("%s: got %q, want %q", text, got, want)
					}
				}
				step("a", "[a] map[a:1] 1")
				<-p.SetHost(host(t, party.HostOptions{}, pins("notes", opts...)))
				step("b", "[a b] map[a:1 b:1] 1")
				<-p.SetHost(host(t, party.HostOptions{}, pins("renamed", opts...)))
				step("?", "[] map[a:1 b:1] 0")
				<-p.SetHost(host(t, party.HostOptions{}, pins("notes", opts...)))
				step("?", "[a b] map[a:1 b:1] 0")
			})
		})
	}
}
