package platform

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
)

func TestPayload(t *testing.T) {
	allow := cmp.AllowUnexported(packet{})
	for body, want := range map[string][]packet{
		"4hello":             {{packetMessage, "hello"}},
		"4":                  {{packetMessage, ""}},
		"4€\x1ebAQIDBA==":    {{packetMessage, "€"}, {packetBinary, "\x01\x02\x03\x04"}},
		"3\x1e4a\x1e4b\x1e1": {{packetPong, ""}, {packetMessage, "a"}, {packetMessage, "b"}, {packetClose, ""}},
		"6":                  {{packetNoop, ""}},
	} {
		got, err := parsePayload(body)
		if diff := cmp.Diff(want, got, allow); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", body, err, diff)
		}
		if back := string(appendPayload(nil, got)); back != body {
			t.Errorf("%q: written again as %q", body, back)
		}
	}
	for _, body := range []string{"", "x", "2", "0{}", "5", "4a\x1e", "\x1e4a", "b=", "b!", "bAQ", "4\xff", "7"} {
		if got, err := parsePayload(body); err == nil {
			t.Errorf("%q: got %v, want an error", body, got)
		}
	}
}

func FuzzPayload(f *testing.F) {
	for _, s := range []string{"4a\x1ebAQID", "3", "1", "b", "4\x1e4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		packets, err := parsePayload(body)
		if err != nil {
			return
		}
		written := string(appendPayload(nil, packets))
		again, err := parsePayload(written)
		if diff := cmp.Diff(packets, again, cmp.AllowUnexported(packet{})); diff != "" || err != nil {
			t.Fatalf("%q: written as %q: %v\n%s", body, written, err, diff)
		}
		size := 0
		for _, p := range packets {
			size += p.size()
		}
		if size < len(written) {
			t.Fatalf("%q takes %d bytes, counted as %d", written, len(written), size)
		}
	})
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", 200)
	e := &link.Effect{Data: "hi", Parts: []string{"\x01", long}}
	got := string(appendPackets(nil, packetsOf(e)...))
	want := "\x81\x034hi" + "\x82\x01\x01" + "\x82\x7e\x00\xc8" + long
	if got != want {
		t.Errorf("Engine.IO: got %q, want %q", got, want)
	}
	if got, want := string(appendMessage(nil, e)), "\x81\x02hi"+"\x82\x01\x01"+"\x82\x7e\x00\xc8"+long; got != want {
		t.Errorf("raw: got %q, want %q", got, want)
	}
}

func TestMatchEngine(t *testing.T) {
	engine := &link.Engine{Path: "/socket.io/", Mount: "/io/", MountRoom: "main"}
	rt := newRoutes(link.Info{Parties: []link.Party{{Name: "game", Engine: engine, Main: true}, {Name: "plain"}}})
	for prefix, paths := range map[string]map[string]string{
		"parties": {
			"/io/": "game/main", "/io": "game/main", "/io/default/": "game/main", "/iox": "", "/": "",
			"/parties/game/a/socket.io/": "game/a", "/parties/game/a/socket.io": "game/a", "/parties/GAME/a%2Fb/socket.io/x": "game/a/b",
			"/parties/game/a/socket.iox": "", "/parties/game/a": "", "/parties/game/a/x/socket.io/": "", "/party/a/socket.io/": "game/a",
			"/parties/plain/a/socket.io/": "", "/parties/none/a/socket.io/": "", "/socket.io/": "",
		},
		"my/rooms": {"/my/rooms/game/a/socket.io/": "game/a", "/party/a/socket.io/": "game/a", "/parties/game/a/socket.io/": ""},
	} {
		p := &Platform{opts: Options{Prefix: prefix}, limits: withDefaults(Options{}.Limits)}
		for path, want := range paths {
			_, key, ok := p.matchEngine(rt, path)
			got := ""
			if ok {
				got = key.Party + "/" + key.Name
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
	}
}
