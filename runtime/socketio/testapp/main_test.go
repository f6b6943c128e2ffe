package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/runtime/server"
)

// dial serves a profile and opens a socket at path; nsp is joined if path speaks Socket.IO.
func dial(t *testing.T, profile, path, nsp string) *websocket.Conn {
	t.Helper()
	rooms, err := profileRooms(profile, "/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Rooms(rooms...))
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		hs.Close()
	})
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http")+path+"?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	ws.SetReadDeadline(time.Now().Add(60 * time.Second))
	read(t, ws)
	if nsp != "none" {
		send(t, ws, "40"+nsp)
		if got := read(t, ws); !strings.HasPrefix(got, "40"+nsp) {
			t.Fatalf("joining %q got %q", nsp, got)
		}
	}
	return ws
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	for {
		kind, data, err := ws.ReadMessage()
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if string(data) == "2" {
			send(t, ws, "3")
			continue
		}
		if kind == websocket.BinaryMessage {
			return "bin:" + string(data)
		}
		return string(data)
	}
}

func send(t *testing.T, ws *websocket.Conn, messages ...string) {
	t.Helper()
	for _, m := range messages {
		kind := websocket.TextMessage
		if b, ok := strings.CutPrefix(m, "bin:"); ok {
			kind, m = websocket.BinaryMessage, b
		}
		if err := ws.WriteMessage(kind, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestClientProfile wants the replies of the client profile. An offset that recovery adds is not compared.
func TestClientProfile(t *testing.T) {
	ws := dial(t, "client", "/socket.io/", "")
	binary := `{"_placeholder":true,"num":0}`
	for _, c := range []struct{ send, want []string }{
		{[]string{`42["hi"]`}, []string{`42["hi",`}},
		{[]string{`420["echo",null]`}, []string{"430[null]"}},
		{[]string{`42["ack"]`}, []string{`420["ack"]`}},
		{[]string{`430[5,{"test":true}]`}, []string{`42["got it",`}},
		{[]string{`421["getAckDate",{}]`}, []string{`431["20`}},
		{[]string{`42["getDate"]`}, []string{`42["takeDate","20`}},
		{[]string{`42["getDateObj"]`}, []string{`42["takeDateObj",{"date":"20`}},
		{[]string{`42["getUtf8"]`}, []string{`42["takeUtf8","てすと",`, `42["takeUtf8","Я Б Г Д Ж Й",`, `42["takeUtf8","Ä ä Ü ü ß",`, `42["takeUtf8","utf8 — string",`, `42["takeUtf8","utf8 — string",`}},
		{[]string{`42["false"]`}, []string{`42["false",false,`}},
		{[]string{`42["doge"]`}, []string{`451-["doge",` + binary, "bin:asdfasdf"}},
		{[]string{`42["getbin"]`}, []string{`451-["takebin",` + binary, "bin:asdfasdf"}},
		{[]string{`42["buffa","text"]`, `451-["buffa",` + binary + `]`, "bin:x"}, []string{`42["buffack",`}},
		{[]string{`451-["blob",` + binary + `]`, "bin:x"}, []string{`42["back",`}},
		{[]string{`451-["jsonbuff",{"hello":"lol","message":` + binary + `,"goodbye":"gotcha"}]`, "bin:x"}, []string{`42["jsonbuff-ack",`}},
		{[]string{`451-["jsonblob",{"hello":"lol","message":` + binary + `,"goodbye":"gotcha"}]`, "bin:x"}, []string{`42["jsonblob-ack",`}},
		{[]string{`42["abuff2","early"]`, `451-["abuff1",` + binary + `]`, "bin:x", `42["abuff2","x"]`}, []string{`42["abuff2-ack",`}},
		{[]string{`451-["blob1",` + binary + `]`, "bin:x", `42["blob2","second"]`, `451-["blob3",` + binary + `]`, "bin:y"}, []string{`42["blob3-ack",`}},
		{[]string{`42["unknown"]`, `423["my-event"]`, `424["getId"]`}, []string{`434["`}},
		{[]string{`425["getHandshake"]`}, []string{`435[{"headers":{`}},
		{[]string{"40/no,"}, []string{`44/no,{"message":"Auth failed (custom namespace)"}`}},
		{[]string{"40/bar,"}, []string{`44/bar,{"message":"Invalid namespace"}`}},
		{[]string{"40/abc,"}, []string{`40/abc,{"sid":`, `42/abc,["handshake",{"headers":{`}},
		{[]string{"40/foo,"}, []string{`40/foo,{"sid":`}},
		{[]string{`42/foo,1["getId"]`}, []string{`43/foo,1["`}},
	} {
		send(t, ws, c.send...)
		for _, want := range c.want {
			if got := read(t, ws); !strings.HasPrefix(got, want) {
				t.Fatalf("%q: got %q, want %q…", c.send, got, want)
			}
		}
	}
}

func TestOtherProfiles(t *testing.T) {
	raw := dial(t, "protocol", "/engine.io/", "none")
	send(t, raw, "4hello")
	if got := read(t, raw); got != "4hello" {
		t.Errorf("got %q, want 4hello", got)
	}
	custom := dial(t, "protocol", "/socket.io/", "/custom,")
	if got := read(t, custom); got != `42/custom,["auth",{}]` {
		t.Errorf("got %q, want auth", got)
	}
	room := dial(t, "room", "/parties/game/any/socket.io/", "")
	read(t, room)
	send(t, room, `420["echo","x"]`, `42["message",1]`)
	if a, b := read(t, room), read(t, room); a != `430["x"]` || b != `42["message-back",1]` {
		t.Errorf("got %q and %q", a, b)
	}
	load := dial(t, "load", "/socket.io/", "")
	send(t, load, `427["echo",1]`)
	if got := read(t, load); got != "437[1]" {
		t.Errorf("got %q, want 437[1]", got)
	}
	if _, err := profileRooms("none", "/"); err == nil {
		t.Error("an unknown profile was taken")
	}
}
