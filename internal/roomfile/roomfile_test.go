package roomfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

var lobby = Header{Room: storage.Room{Party: "chat", Name: "a/ö"}, Alarm: time.Date(2026, 11, 21, 10, 0, 0, 5e6, time.UTC)}

func written(t testing.TB, h Header, entries ...storage.Entry) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, h)
	for _, e := range entries {
		if err == nil {
			err = w.Entry(e)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestThereAndBack(t *testing.T) {
	entries := []storage.Entry{
		{Key: "\x00field/score", Value: []byte("3")},
		{Key: "a\nb<\u2028", Value: []byte("{\"x\": \"<\u2028\\u00e9\"}\n")},
		{Key: "empty", Value: []byte{}},
		{Key: "k", Value: bytes.Repeat([]byte{0xff}, storage.MaxValueBytes)},
		{Key: "l" + strings.Repeat("\x01", storage.MaxKeyBytes-1), Value: bytes.Repeat([]byte{1}, storage.MaxValueBytes)},
		{Key: "\xff\xfe", Value: []byte("not UTF-8, the key")},
	}
	text := written(t, lobby, entries...)
	h, got, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if h != lobby {
		t.Errorf("got header %+v, want %+v", h, lobby)
	}
	if len(got) != len(entries) {
		t.Fatalf("got %d entries, want %d", len(got), len(entries))
	}
	for n, e := range got {
		if want := entries[n]; e.Key != want.Key || !bytes.Equal(e.Value, want.Value) {
			t.Errorf("entry %d: got %.40q = %.40q, want %.40q = %.40q", n, e.Key, e.Value, want.Key, want.Value)
		}
	}
	if h, got, err := Read(strings.NewReader(written(t, Header{Room: lobby.Room}))); err != nil || len(got) != 0 || !h.Alarm.IsZero() {
		t.Errorf("an empty room: got %+v, %v, %v", h, got, err)
	}
}

func TestForm(t *testing.T) {
	got := written(t, lobby, storage.Entry{Key: "score", Value: []byte("42")}, storage.Entry{Key: "zip", Value: []byte{0xff}})
	body := `{"format":"party-room","version":1,"party":"chat","room":"a/ö","alarm":"2026-11-21T10:00:00.005Z"}
{"key":"score","text":"42"}
{"key":"zip","base64":"/w=="}
`
	sum := sha256.Sum256([]byte(body))
	if want := body + fmt.Sprintf(`{"entries":2,"sha256":"%s"}`+"\n", hex.EncodeToString(sum[:])); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// signed ends lines with their hash.
func signed(lines ...string) string {
	body := strings.Join(lines, "\n") + "\n"
	sum := sha256.Sum256([]byte(body))
	return body + fmt.Sprintf("{\"entries\":%d,\"sha256\":\"%x\"}\n", len(lines)-1, sum)
}

func TestRefused(t *testing.T) {
	good := written(t, lobby, storage.Entry{Key: "score", Value: []byte("42")})
	const head = `{"format":"party-room","version":1,"party":"chat","room":"lobby"}`
	for name, text := range map[string]string{
		"nothing":         "",
		"something else":  "hello\n",
		"another format":  signed(`{"format":"zip","version":1,"party":"chat","room":"lobby"}`),
		"newer":           signed(`{"format":"party-room","version":2,"party":"chat","room":"lobby"}`),
		"cut":             good[:strings.LastIndex(good, `{"entries"`)],
		"cut in the line": good[:len(good)-10],
		"changed":         strings.Replace(good, "42", "43", 1),
		"more":            good + good,
		"no key":          signed(head, `{"text":"x"}`),
		"two keys":        signed(head, `{"key":"a","key64":"YQ==","text":"x"}`),
		"two values":      signed(head, `{"key":"a","text":"x","base64":"YQ=="}`),
		"twice":           signed(head, `{"key":"a","text":"x"}`, `{"key":"a","text":"y"}`),
		"disorder":        signed(head, `{"key":"b","text":"x"}`, `{"key":"a","text":"y"}`),
		"long key":        signed(head, `{"key":"`+strings.Repeat("k", storage.MaxKeyBytes+1)+`","text":"x"}`),
		"long value":      signed(head, `{"key":"k","text":"`+strings.Repeat("v", storage.MaxValueBytes+1)+`"}`),
		"endless line":    head + "\n" + strings.Repeat(" ", maxLine+1),
		"unknown field":   signed(head, `{"key":"k","text":"x","ttl":3}`),
		"wrong number":    strings.Replace(good, `"entries":1`, `"entries":2`, 1),
	} {
		if h, entries, err := Read(strings.NewReader(text)); !errors.Is(err, ErrNotRoom) {
			t.Errorf("%s: got %+v, %d entries, %v; want %v", name, h, len(entries), err, ErrNotRoom)
		}
	}
}

// FuzzRead finds no file that is taken and does not come out as it went in.
func FuzzRead(f *testing.F) {
	f.Add(written(f, lobby, storage.Entry{Key: "score", Value: []byte("42")}))
	f.Add(signed(`{"format":"party-room","version":1,"party":"chat","room":"lobby"}`, `{"key64":"/w==","base64":""}`))
	f.Fuzz(func(t *testing.T, text string) {
		h, entries, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		again, twice, err := Read(strings.NewReader(written(t, h, entries...)))
		if err != nil || !again.Alarm.Equal(h.Alarm) || len(twice) != len(entries) {
			t.Errorf("got %+v and %d entries, then %+v and %d, %v", h, len(entries), again, len(twice), err)
		}
	})
}
