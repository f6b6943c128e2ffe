package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

type client struct {
	t *testing.T
	*partytest.Client
}

func join(t *testing.T, s *partytest.Server, room, id, name string) *client {
	t.Helper()
	return &client{t, s.Connect(fmt.Sprintf("/parties/chat/%s?_pk=%s&name=%s", room, id, name))}
}

// next returns the next frame, which must be of this type.
func (c *client) next(kind string) Frame {
	c.t.Helper()
	var f Frame
	if err := c.Next().Decode(&f); err != nil {
		c.t.Fatalf("read a %s frame: %v", kind, err)
	}
	if f.Type != kind {
		c.t.Fatalf("got frame %+v, want type %q", f, kind)
	}
	return f
}

func (c *client) wantLine(name, text string) {
	c.t.Helper()
	f := c.next("line")
	if f.Line.Name != name || f.Line.Text != text {
		c.t.Errorf("got line %q by %q, want %q by %q", f.Line.Text, f.Line.Name, text, name)
	}
}

func texts(lines []Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Text)
	}
	return out
}

func TestTalk(t *testing.T) {
	s := partytest.New(t, &partyApp)
	ada := join(t, s, "lobby", "a", "Ada")
	if diff := cmp.Diff(ada.next("welcome"), Frame{Type: "welcome", People: []Person{{ID: "a", Name: "Ada"}}}); diff != "" {
		t.Errorf("Ada's welcome (-got +want):\n%s", diff)
	}
	bob := join(t, s, "lobby", "b", "Bob")
	bob.next("welcome")
	if got, want := *ada.next("joined").Person, (Person{ID: "b", Name: "Bob"}); got != want {
		t.Errorf("Ada sees %+v join, want %+v", got, want)
	}

	ada.Say("hello")
	ada.wantLine("Ada", "hello")
	bob.wantLine("Ada", "hello")
	bob.Say("  hi  ")
	ada.wantLine("Bob", "hi")

	bob.Close(1000, "")
	if got := ada.next("left").Person.ID; got != "b" {
		t.Errorf("Ada sees %q leave, want b", got)
	}
}

func TestRoomsAreSeparate(t *testing.T) {
	s := partytest.New(t, &partyApp)
	ada := join(t, s, "kitchen", "a", "Ada")
	ada.next("welcome")
	bob := join(t, s, "garden", "b", "Bob")
	bob.next("welcome")
	bob.Say("anybody?")
	bob.wantLine("Bob", "anybody?")
	ada.Say("dinner")
	ada.wantLine("Ada", "dinner") // nothing of the garden's before it
}

// A client that reconnects before its old socket is gone has not left.
func TestReconnect(t *testing.T) {
	s := partytest.New(t, &partyApp)
	ada := join(t, s, "lobby", "a", "Ada")
	ada.next("welcome")
	old := join(t, s, "lobby", "b", "Bob")
	old.next("welcome")
	ada.next("joined")
	again := join(t, s, "lobby", "b", "Bob")
	if got := len(again.next("welcome").People); got != 2 {
		t.Errorf("%d people after Bob came back, want 2", got)
	}
	ada.next("joined")
	old.Close(1000, "")
	again.Say("still here")
	ada.wantLine("Bob", "still here") // and no "left" before it
}

func TestRefusesLongLines(t *testing.T) {
	s := partytest.New(t, &partyApp)
	ada := join(t, s, "lobby", "a", "Ada")
	ada.next("welcome")
	ada.Say(strings.Repeat("x", maxTextBytes+1))
	if got := ada.next("refused").Reason; !strings.Contains(got, fmt.Sprint(maxTextBytes)) {
		t.Errorf("reason %q does not name the limit", got)
	}
	ada.Say("   ") // ignored
	ada.Say(strings.Repeat("y", maxTextBytes))
	ada.wantLine("Ada", strings.Repeat("y", maxTextBytes))
}

func TestRemembersTheLastHundred(t *testing.T) {
	store := memory.New()
	var want []string
	t.Run("while it runs", func(t *testing.T) {
		s := partytest.New(t, &partyApp, partytest.Store(store))
		ada := join(t, s, "lobby", "a", "Ada")
		ada.next("welcome")
		for n := range maxLines + 5 {
			text := fmt.Sprint("line ", n)
			ada.Say(text)
			ada.wantLine("Ada", text)
			want = append(want, text)
		}
		want = want[5:]
		for _, when := range []string{"awake", "after a sleep"} {
			bob := join(t, s, "lobby", "b", "Bob")
			if diff := cmp.Diff(texts(bob.next("welcome").Lines), want); diff != "" {
				t.Errorf("lines %s (-got +want):\n%s", when, diff)
			}
			s.Hibernate("chat", "lobby")
		}
	})
	t.Run("after a restart", func(t *testing.T) {
		s := partytest.New(t, &partyApp, partytest.Store(store))
		bob := join(t, s, "lobby", "b", "Bob")
		if diff := cmp.Diff(texts(bob.next("welcome").Lines), want); diff != "" {
			t.Errorf("lines (-got +want):\n%s", diff)
		}
		bob.Say("more")
		if got, want := bob.next("line").Line.Number, uint64(maxLines+5); got != want {
			t.Errorf("number of the next line = %d, want %d", got, want)
		}
	})
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("é", maxNameRunes)
	tests := map[string]string{"": "somebody", " Ada \n Lovelace ": "Ada Lovelace", "\xff": "somebody", long + "é": long}
	for in, want := range tests {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
}
