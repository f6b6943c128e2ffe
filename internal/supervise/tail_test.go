package supervise

import (
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	long := strings.Repeat("noise and more noise\n", 200)
	for _, test := range []struct {
		name   string
		writes []string
		want   string // what the text begins with
		end    string // and ends with
	}{
		{"short", []string{"one\n", "two\n"}, "one", "two"},
		{"the end of a long log", []string{long, "the end\n"}, "", "the end"},
		{"a panic", []string{long, "panic: boom\n", "goroutine 1\n", long}, "panic: boom\ngoroutine 1", ""},
		{"a panic in the first line", []string{"panic: boom\nx\n"}, "panic: boom", "x"},
		{"a word in a line is no panic", []string{"they said panic: no\n", "last\n"}, "they said", "last"},
		{"nothing", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			log := &tail{}
			for _, w := range test.writes {
				if n, err := log.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write() = %d, %v", n, err)
				}
			}
			got := log.text()
			if !strings.HasPrefix(got, test.want) || !strings.HasSuffix(got, test.end) || len(got) > maxTail {
				t.Errorf("got %d bytes, %q, want %q … %q", len(got), got[:min(len(got), 80)], test.want, test.end)
			}
		})
	}
}
