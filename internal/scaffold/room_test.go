package scaffold

import (
	"errors"
	"go/format"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// partyOf stands for the generator's rule.
func partyOf(typ string) string {
	if typ == "GameRoom" {
		return "game-room"
	}
	return strings.ToLower(typ)
}

func newRoom(t *testing.T, o RoomOptions) *Room {
	t.Helper()
	o.PartyOf = partyOf
	r, err := NewRoom(o)
	if err != nil {
		t.Fatalf("NewRoom(%q): %v", o.Name, err)
	}
	return r
}

func TestRoomNames(t *testing.T) {
	for _, tt := range []struct{ in, typ, party, file, annotation string }{
		{"game-room", "GameRoom", "game-room", "gameroom.go", "//party:room\n"},
		{"GameRoom", "GameRoom", "game-room", "gameroom.go", "//party:room\n"},
		{"gameRoom", "GameRoom", "game-room", "gameroom.go", "//party:room\n"},
		{"board_test", "BoardTest", "boardtest", "boardtest.go", "//party:room\n"},
		{"user-v2", "UserV2", "user-v2", "userv2.go", "//party:room name=user-v2\n"}, // not what partyOf says
	} {
		r := newRoom(t, RoomOptions{Dir: t.TempDir(), Name: tt.in})
		got := []string{r.Type, r.Party, r.Files[0].Path}
		if diff := cmp.Diff(got, []string{tt.typ, tt.party, tt.file}); diff != "" {
			t.Errorf("NewRoom(%q): type, party, file (-got +want):\n%s", tt.in, diff)
		}
		if src := string(r.Files[0].Data); !strings.Contains(src, tt.annotation) {
			t.Errorf("NewRoom(%q) has no %q:\n%s", tt.in, tt.annotation, src)
		}
	}
	for _, name := range []string{"", "2d", "-a", "a--b", "a b", "räume", "a.go", "../a", strings.Repeat("x", maxName+1)} {
		var nameErr *NameError
		if _, err := NewRoom(RoomOptions{Dir: t.TempDir(), Name: name, PartyOf: partyOf}); !errors.As(err, &nameErr) {
			t.Errorf("NewRoom(%q) = %v, want a NameError", name, err)
		}
	}
}

func TestRoomSource(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), "package games\n")
	r := newRoom(t, RoomOptions{Dir: dir, Name: "game-room", Hibernate: true, Requests: true})
	want := `package games

import (
	"context"
	"fmt"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// GameRoom is a room at /parties/game-room/:room.
//
//party:room hibernate
type GameRoom struct {
	party.Room
}

// OnMessage relays what a client sends to everybody else in the room.
func (room *GameRoom) OnMessage(ctx context.Context, conn *party.Conn, msg party.Message) error {
	return room.Broadcast(msg, party.Except(conn))
}

// OnRequest answers HTTP requests to the room.
func (room *GameRoom) OnRequest(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "this is %s\n", room.Name())
}
`
	if diff := cmp.Diff(string(r.Files[0].Data), want); diff != "" {
		t.Errorf("source (-got +want):\n%s", diff)
	}
	plain := newRoom(t, RoomOptions{Dir: dir, Name: "x"}).Files[0].Data
	if formatted, err := format.Source(plain); err != nil || string(formatted) != string(plain) {
		t.Errorf("source without options is not formatted (%v):\n%s", err, plain)
	}
}

func TestRoomExists(t *testing.T) {
	for _, src := range []string{
		"package main\n\ntype GameRoom struct{}\n",
		"package main\n\nfunc GameRoom() {}\n",
		"package main\n\nvar a, GameRoom int\n",
		"package main\n\ntype (\n\tX int\n\tGameRoom struct{}\n)\n\nfunc broken( {\n",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "server.go"), src)
		var conflict *ConflictError
		if _, err := NewRoom(RoomOptions{Dir: dir, Name: "game-room", PartyOf: partyOf}); !errors.As(err, &conflict) {
			t.Errorf("NewRoom with %q: %v, want a ConflictError", src, err)
		} else if !strings.Contains(conflict.Paths[0], "server.go:3") {
			t.Errorf("NewRoom with %q: conflict %q names no place", src, conflict.Paths)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server.go"), "package main\n\nfunc (x T) GameRoom() {}\n")
	newRoom(t, RoomOptions{Dir: dir, Name: "game-room"}) // a method is no conflict

	write(t, filepath.Join(dir, "gameroom.go"), "package main\n")
	r := newRoom(t, RoomOptions{Dir: dir, Name: "game-room"})
	var conflict *ConflictError
	if err := r.Write(); !errors.As(err, &conflict) {
		t.Errorf("Write over gameroom.go: %v, want a ConflictError", err)
	}
}
