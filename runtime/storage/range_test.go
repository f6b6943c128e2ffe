package storage_test

import (
	"strings"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

func TestRangeBounds(t *testing.T) {
	tests := []struct {
		r      storage.Range
		lo, hi string
	}{
		{storage.Range{}, "", ""},
		{storage.Range{Prefix: "a"}, "a", "b"},
		{storage.Range{Prefix: "a\xff"}, "a\xff", "b"},
		{storage.Range{Prefix: "\xff\xff"}, "\xff\xff", ""},
		{storage.Range{Prefix: "a", Start: "ab"}, "ab", "b"},
		{storage.Range{Prefix: "b", Start: "a"}, "b", "c"},
		{storage.Range{After: "a"}, "a\x00", ""},
		{storage.Range{End: "m"}, "", "m"},
		{storage.Range{Prefix: "a", End: "ac"}, "a", "ac"},
		{storage.Range{Prefix: "a", End: "z"}, "a", "b"},
		{storage.Range{Prefix: "\xff", End: "z"}, "\xff", "z"},
		{storage.Range{Reverse: true, Limit: 3}, "", ""},
	}
	for _, test := range tests {
		lo, hi := test.r.Bounds()
		if lo != test.lo || hi != test.hi {
			t.Errorf("%+v.Bounds() = %q, %q, want %q, %q", test.r, lo, hi, test.lo, test.hi)
		}
	}
}

func FuzzRangeContains(f *testing.F) {
	f.Add("key", "k", "", "", "")
	f.Add("a\xff\x00", "a\xff", "a", "a\xff", "b")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, key, prefix, start, after, end string) {
		r := storage.Range{Prefix: prefix, Start: start, After: after, End: end}
		want := strings.HasPrefix(key, prefix) && key >= start &&
			(after == "" || key > after) && (end == "" || key < end)
		if got := r.Contains(key); got != want {
			t.Errorf("%+v.Contains(%q) = %v, want %v", r, key, got, want)
		}
	})
}
