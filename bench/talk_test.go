package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func line(number int, version string) []byte {
	return fmt.Appendf(nil, `{"type":"line","line":{"number":7,"text":"%d %s"}}`, number, version)
}

func TestTalkHears(t *testing.T) {
	began := time.Now()
	tk := &talk{stop: make(chan struct{}), said: []time.Time{began, began, began.Add(time.Second)}}
	answered := tk.expect("new")
	for n, in := range [][]byte{[]byte(`{"type":"welcome"}`), line(0, "old"), line(1, "old"), line(2, "new")} {
		if err := tk.hear(in, began.Add(1500*time.Millisecond)); err != nil {
			t.Fatalf("frame %d: %v", n, err)
		}
	}
	select {
	case a := <-answered:
		if a.err != nil || a.wait != 1500*time.Millisecond {
			t.Errorf("answer %+v, want a wait of 1.5 s", a)
		}
	default:
		t.Error("the new version's answer was not noticed")
	}
}

func TestTalkNoticesDisorder(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"lost":     {line(0, "v"), line(2, "v")},
		"repeated": {line(0, "v"), line(0, "v")},
		"invented": {line(0, "v"), line(1, "v"), line(2, "v"), line(3, "v")},
	} {
		tk := &talk{stop: make(chan struct{}), said: make([]time.Time, 3)}
		var err error
		for _, f := range frames {
			err = tk.hear(f, time.Now())
		}
		if err == nil || !strings.Contains(err.Error(), "lost, repeated or overtaken") {
			t.Errorf("%s: %v, want it noticed", name, err)
		}
	}
}
