package party

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSendableCode(t *testing.T) {
	for code := -1; code <= 6000; code++ {
		// RFC 6455, 7.4, and what has been registered since: 1004 to 1006 and 1015 are never on the
		// wire, 1002 and 1010 are the protocol's own words, below 1000 and from 5000 on there is nothing.
		ok := code >= 3000 && code <= 4999 || slices.Contains([]int{1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}, code)
		want := 1011
		if ok {
			want = code
		}
		if got := sendableCode(code); got != want {
			t.Errorf("sendableCode(%d): got %d, want %d", code, got, want)
		}
	}
}

func FuzzCutReason(f *testing.F) {
	for _, s := range []string{"", "short", strings.Repeat("x", 123), strings.Repeat("x", 124), strings.Repeat("ü", 62), strings.Repeat("€", 41) + "€", "\xff", strings.Repeat("a", 122) + "\xf0\x9f\x8e\x89"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cutReason(s)
		if len(got) > 123 || !utf8.ValidString(got) {
			t.Fatalf("cutReason(%q): %d bytes %q", s, len(got), got)
		}
		if utf8.ValidString(s) {
			if !strings.HasPrefix(s, got) || (len(s) <= 123 && got != s) || (len(s) > 123 && len(got) < 120) {
				t.Fatalf("cutReason(%q): got %q", s, got)
			}
		}
	})
}

func TestCheckTags(t *testing.T) {
	nine := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
	for _, test := range []struct {
		name string
		tags []string
		want []string // nil for an error
	}{
		{"none", nil, []string{"id"}},
		{"the id itself", []string{"id"}, []string{"id"}},
		{"repetitions", []string{"b", "a", "b", "id"}, []string{"id", "b", "a"}},
		{"as many as fit", nine, append([]string{"id"}, nine...)},
		{"as many as fit, said twice", append(slices.Clone(nine), nine...), append([]string{"id"}, nine...)},
		{"too many", append(slices.Clone(nine), "10"), nil},
		{"long", []string{strings.Repeat("x", 256)}, []string{"id", strings.Repeat("x", 256)}},
		{"too long", []string{strings.Repeat("x", 257)}, nil},
		{"empty", []string{""}, nil},
	} {
		got, err := checkTags("id", test.tags)
		if diff := cmp.Diff(got, test.want); diff != "" || (err == nil) != (test.want != nil) {
			t.Errorf("%s: %v\n%s", test.name, err, diff)
		}
	}
}

func TestMessage(t *testing.T) {
	b := []byte("bytes")
	m := Binary(b)
	b[0] = 'X'
	if m.IsText() || m.Text() != "bytes" || m.Len() != 5 {
		t.Errorf("Binary: %q, text %v", m.Text(), m.IsText())
	}
	m.Bytes()[0] = 'Y'
	if m.Text() != "bytes" {
		t.Error("Bytes is not a copy")
	}
	j := JSON(map[string]int{"n": 1})
	var back struct{ N int }
	if err := j.Decode(&back); err != nil || back.N != 1 || !j.IsText() || j.Text() != `{"n":1}` {
		t.Errorf("JSON: %q, %v, %v", j.Text(), back, err)
	}
	if err := Text("{").Decode(&back); err == nil || !strings.HasPrefix(err.Error(), "decode message: ") {
		t.Errorf("Decode: %v", err)
	}
	if zero := (Message{}); !zero.IsText() || zero.Len() != 0 || zero.err != nil {
		t.Error("the zero Message is not an empty text")
	}
}

func TestErrors(t *testing.T) {
	inside := errors.New("inside")
	if err := error(&PanicError{Value: fmt.Errorf("wrapped: %w", inside)}); !errors.Is(err, inside) {
		t.Errorf("%v does not wrap what was panicked with", err)
	}
	if err := (&PanicError{Value: 1}); err.Unwrap() != nil || err.Error() != "panic: 1" {
		t.Errorf("got %v", err)
	}
	for status, want := range map[int]int{0: 401, 200: 401, 299: 401, 300: 300, 403: 403, 599: 599, 600: 401} {
		var reject *RejectError
		if err := Reject(status, "text"); !errors.As(err, &reject) || reject.Status != want || err.Error() != "text" {
			t.Errorf("Reject(%d): %v", status, err)
		}
	}
}
