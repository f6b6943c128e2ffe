package socketio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePacket(t *testing.T) {
	type want struct {
		Typ     packetType
		NSP     string
		ID      int64
		Name    string
		Args    string
		Missing int
	}
	for in, w := range map[string]want{
		`0`:                      {Typ: packetConnect, NSP: "/", ID: noID},
		`0{"a":1}`:               {Typ: packetConnect, NSP: "/", ID: noID, Args: `{"a":1}`},
		`0/admin,`:               {Typ: packetConnect, NSP: "/admin", ID: noID},
		`0/admin`:                {Typ: packetConnect, NSP: "/admin", ID: noID},
		`0/a,{"b":"c,d"}`:        {Typ: packetConnect, NSP: "/a", ID: noID, Args: `{"b":"c,d"}`},
		`1`:                      {Typ: packetDisconnect, NSP: "/", ID: noID},
		`1/x,`:                   {Typ: packetDisconnect, NSP: "/x", ID: noID},
		`2["a",1]`:               {Typ: packetEvent, NSP: "/", ID: noID, Name: "a", Args: `["a",1]`},
		`2[5,1]`:                 {Typ: packetEvent, NSP: "/", ID: noID, Name: "5", Args: `[5,1]`},
		`2/x,17["a"]`:            {Typ: packetEvent, NSP: "/x", ID: 17, Name: "a", Args: `["a"]`},
		`312[]`:                  {Typ: packetAck, NSP: "/", ID: 12, Args: `[]`},
		`50-["a"]`:               {Typ: packetBinaryEvent, NSP: "/", ID: noID, Name: "a", Args: `["a"]`},
		`52-/x,3["a",{}]`:        {Typ: packetBinaryEvent, NSP: "/x", ID: 3, Name: "a", Args: `["a",{}]`, Missing: 2},
		`510-["a"]`:              {Typ: packetBinaryEvent, NSP: "/", ID: noID, Name: "a", Args: `["a"]`, Missing: 10},
		`61-7[{"num":0}]`:        {Typ: packetBinaryAck, NSP: "/", ID: 7, Args: `[{"num":0}]`, Missing: 1},
		`2["connected","x"]`:     {Typ: packetEvent, NSP: "/", ID: noID, Name: "connected", Args: `["connected","x"]`},
		"2[\"\\u00e4\\n\",null]": {Typ: packetEvent, NSP: "/", ID: noID, Name: "ä\n", Args: "[\"\\u00e4\\n\",null]"},
	} {
		p, err := parsePacket(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := want{Typ: p.typ, NSP: p.nsp, ID: p.id, Name: p.name, Missing: p.missing, Args: string(p.auth)}
		if p.args != nil {
			b, _ := json.Marshal(p.args)
			got.Args = string(b)
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestMalformedPackets(t *testing.T) {
	for _, in := range []string{
		"", "7", "a", "x2", `0[]`, `0"a"`, `0{`, `0{}x`, `0null`, `1{}`, `1/x,[]`, `4{"message":"x"}`, `2`, `2{}`, `2[]`, `2null`, `2"a"`, `2[{}]`, `2[null]`, `2[true]`,
		`2["connect"]`, `2["connect_error"]`, `2["disconnect"]`, `2["disconnecting"]`, `2["newListener"]`, `2["removeListener"]`,
		`2abc["a"]`, `2["a"`, `2["a"]]`, `3[]`, `3`, `31{}`, `299999999999999999999["a"]`,
		`5["a"]`, `5-["a"]`, `5x-["a"]`, `5-1-["a"]`, `51.5-["a"]`, `511-["a"]`, `5999999-["a"]`, `51`, `6-1[]`, `60-[]`,
	} {
		if p, err := parsePacket(in); !errors.Is(err, errMalformed) {
			t.Errorf("%q: got %+v, %v, want a malformed packet", in, p, err)
		}
	}
}

func TestAttachments(t *testing.T) {
	decode := func(messages ...string) (*packet, error) {
		var d decoder
		var p *packet
		var err error
		for _, m := range messages {
			if b, ok := strings.CutPrefix(m, "bin:"); ok {
				p, err = d.decodeBinary([]byte(b))
			} else {
				p, err = d.decodeText(m)
			}
			if err != nil {
				return nil, err
			}
		}
		return p, nil
	}
	for _, messages := range [][]string{
		{"bin:x"}, // no packet
		{`51-["a"]`, `2["b"]`},
		{`51-["a",{"_placeholder":true,"num":1}]`, "bin:x"},
		{`51-["a",{"_placeholder":true,"num":-1}]`, "bin:x"},
		{`51-["a",{"_placeholder":true,"num":0.5}]`, "bin:x"},
		{`51-["a",{"_placeholder":true,"num":"0"}]`, "bin:x"},
		{`51-["a",{"_placeholder":true}]`, "bin:x"},
		{`50-["a",{"_placeholder":true,"num":0}]`},
	} {
		if p, err := decode(messages...); !errors.Is(err, errMalformed) {
			t.Errorf("%q: got %+v, %v, want a malformed packet", messages, p, err)
		}
	}
	p, err := decode(`52-["a",{"x":[{"num":1,"_placeholder":true,"more":1}],"y":{"_placeholder":false}}, {"_placeholder":true,"num":0} ]`, "bin:one", "bin:two")
	if err != nil {
		t.Fatal(err)
	}
	args := Args{values: p.values()}
	var first any
	var second []byte
	if err := args.Decode(&first, &second); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"x": []any{[]byte("two")}, "y": map[string]any{"_placeholder": false}}
	if diff := cmp.Diff(any(want), first); diff != "" || string(second) != "one" {
		t.Errorf("got %q and (-want +got):\n%s", second, diff)
	}
	var typed struct{ X [][]byte }
	if err := args.Decode(&typed); err != nil || string(typed.X[0]) != "two" {
		t.Errorf("typed: got %q, %v", typed.X, err)
	}
	var e encoder
	if err := e.array("b", args.Values()); err != nil {
		t.Fatal(err)
	}
	if got, want := string(e.buf), `["b",{"x":[{"_placeholder":true,"num":0}],"y":{"_placeholder":false}},{"_placeholder":true,"num":1}]`; got != want || string(e.attachments[0]) != "two" {
		t.Errorf("sent on: got %s with %q, want %s", got, e.attachments, want)
	}
}

// FuzzSplitArray wants what encoding/json finds in an array.
func FuzzSplitArray(f *testing.F) {
	f.Add(`[ "a\\\"]", {"b":[1,"}"]} , [[]], -1e3 ]`)
	f.Add(` []`)
	f.Fuzz(func(t *testing.T, s string) {
		var want []json.RawMessage
		if !strings.HasPrefix(s, "[") || json.Unmarshal([]byte(s), &want) != nil {
			return
		}
		if diff := cmp.Diff(want, splitArray([]byte(s))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	})
}

type embedded struct {
	Pic []byte `json:"pic"`
}

func TestEncode(t *testing.T) {
	type inner struct {
		embedded
		Name  string          `json:"name"`
		Skip  string          `json:"-"`
		Empty []byte          `json:"empty,omitempty"`
		At    time.Time       `json:"at"`
		Raw   json.RawMessage `json:"raw"`
		Any   any
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		args  []any
		want  string
		parts int
	}{
		{[]any{}, `["e"]`, 0},
		{[]any{nil, true, 1, -2.5, "a<b>&\"\\\u2028\n\x01€"}, "[\"e\",null,true,1,-2.5,\"a<b>&\\\"\\\\\u2028\\n\\u0001€\"]", 0},
		{[]any{"\xff"}, "[\"e\",\"\uFFFD\"]", 0},
		{[]any{[]byte("x"), []byte(nil)}, `["e",{"_placeholder":true,"num":0},null]`, 1},
		{[]any{map[string]any{"b": []byte("x"), "a": []any{[]byte("y"), 1}}}, `["e",{"a":[{"_placeholder":true,"num":0},1],"b":{"_placeholder":true,"num":1}}]`, 2},
		{[]any{map[int]string{1: "<"}}, `["e",{"1":"<"}]`, 0},
		{[]any{&inner{embedded: embedded{[]byte("p")}, Name: "n", At: at, Raw: json.RawMessage(`{"q":1}`), Any: [][]byte{[]byte("z")}}},
			`["e",{"pic":{"_placeholder":true,"num":0},"name":"n","at":"2026-01-02T03:04:05Z","raw":{"q":1},"Any":[{"_placeholder":true,"num":1}]}]`, 2},
		{[]any{Value{}, Value{raw: json.RawMessage(`{"z":1,"a":2}`)}}, `["e",null,{"z":1,"a":2}]`, 0},
		{[]any{(*inner)(nil), [][]byte(nil), map[string][]byte(nil)}, `["e",null,null,null]`, 0},
	} {
		var e encoder
		if err := e.array("e", c.args); err != nil {
			t.Errorf("%v: %v", c.args, err)
		} else if string(e.buf) != c.want || len(e.attachments) != c.parts {
			t.Errorf("%v: got %s with %d attachments, want %s with %d", c.args, e.buf, len(e.attachments), c.want, c.parts)
		}
	}
	var e encoder
	if err := e.array("e", []any{func() {}}); err == nil {
		t.Errorf("a function: got %s, want an error", e.buf)
	}
}

// FuzzDecode wants every packet that is accepted to survive being sent on.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`0{"a":1}`, `2/x,1["a",{"b":[1]}]`, `52-["a",{"_placeholder":true,"num":0},{"num":1,"_placeholder":true}]`, `6-`, `2["\ud800"]`} {
		f.Add(s, "one", "two")
	}
	f.Fuzz(func(t *testing.T, text, one, two string) {
		var d decoder
		p, err := d.decodeText(text)
		for _, b := range []string{one, two} {
			if p == nil && err == nil {
				p, err = d.decodeBinary([]byte(b))
			}
		}
		if err != nil || p == nil || p.typ != packetEvent && p.typ != packetBinaryEvent {
			return
		}
		var e encoder
		args := Args{values: p.values()}
		if err := e.array("e", args.Values()); err != nil {
			t.Fatalf("%q: send on: %v", text, err)
		}
		if !json.Valid(e.buf) {
			t.Fatalf("%q: sent on as %s", text, e.buf)
		}
		for n := range args.Len() {
			var v any
			if err := args.At(n).Decode(&v); err != nil {
				t.Fatalf("%q: argument %d: %v", text, n, err)
			}
		}
	})
}

// FuzzQuoted wants strings to come back as encoding/json reads them.
func FuzzQuoted(f *testing.F) {
	f.Add("a\"\\\n\x00\u2028€\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendQuoted(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); strings.ToValidUTF8(got, "") != got || len([]rune(got)) != len([]rune(s)) || got != want && !strings.Contains(want, "\uFFFD") {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
