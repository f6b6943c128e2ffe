package hostproc

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/diag"
)

func TestReadPanic(t *testing.T) {
	const stack = `panic: runtime error: index out of range [3] with length 3

goroutine 34 [running]:
github.com/goparty-dev/party/runtime.(*Room).Do(0xc0000b4000, 0xc0000a2000)
	/src/party/runtime/room.go:90 +0x1d
main.partyGlue(0x1)
	/home/ada/chat/party_gen.go:12 +0x1d
main.(*Chat).tick(0xc000012345)
	/home/ada/chat/server.go:42 +0x3e
created by main.(*Chat).OnStart in goroutine 1
	/home/ada/chat/server.go:30 +0x5f
exit status 2`
	what, pos, fn := readPanic(strings.Split(stack, "\n"), "/home/ada/chat")
	if what != "panic: runtime error: index out of range [3] with length 3" {
		t.Errorf("what = %q", what)
	}
	if diff := cmp.Diff(pos, diag.Position{File: "/home/ada/chat/server.go", Line: 42}); diff != "" {
		t.Errorf("position (-got +want):\n%s", diff)
	}
	if fn != "main.(*Chat).tick" {
		t.Errorf("function = %q", fn)
	}
	if _, pos, _ = readPanic(strings.Split(stack, "\n"), "/somewhere/else"); pos != (diag.Position{}) {
		t.Errorf("position %v in a stack without user code", pos)
	}
}

func TestFunction(t *testing.T) {
	for text, want := range map[string]string{
		"main.main()":                            "main.main",
		"main.(*Chat).tick(0xc000012345, {0x1})": "main.(*Chat).tick",
		"created by main.start in goroutine 7":   "main.start",
		"created by main.(*Chat).run":            "main.(*Chat).run",
		"main.start.func1({0x1, 0x2})":           "main.start.func1",
		"":                                       "",
	} {
		if got := function(text); got != want {
			t.Errorf("function(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	var got []string
	l := &lines{each: func(line string) { got = append(got, line) }}
	long := strings.Repeat("x", maxLine+5)
	for _, part := range []string{"a\nb", "c\r\n", "", "\n", long, "\nend"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("write %q: %d, %v", part, n, err)
		}
	}
	l.flush()
	if diff := cmp.Diff(got, []string{"a", "bc", "", long[:maxLine], "xxxxx", "end"}); diff != "" {
		t.Errorf("lines (-got +want):\n%s", diff)
	}
}

func TestTail(t *testing.T) {
	var log tail
	for range 100 {
		log.add("noise")
	}
	log.add("panic: first")
	log.add("panic: second")
	for range 100 {
		log.add("frame")
	}
	if len(log.last) != maxTail || len(log.panic) != maxTail || log.panic[0] != "panic: second" {
		t.Errorf("kept %d and %d lines, panic %q", len(log.last), len(log.panic), log.panic[0])
	}
}

func TestReasonText(t *testing.T) {
	noise := make([]string, maxTail)
	for n := range noise {
		noise[n] = strings.Repeat("x", 99) + "é"
	}
	for _, test := range []struct {
		name       string
		reason     Reason
		begin, end string
		most       int
	}{
		{"nothing said", Reason{Summary: "exited with status 3"}, "exited with status 3", "status 3", 30},
		{"empty lines", Reason{Summary: "exited", Log: []string{"", " "}}, "exited", "exited", 6},
		{"short", Reason{Summary: "exited", Log: []string{"one", "two"}}, "exited, and said:\none\n", "\ntwo", 40},
		{"long", Reason{Summary: "exited", Log: append(noise[1:len(noise):len(noise)], "the end")}, "exited, and said:\nx", "\nthe end", maxSaid + 20},
		{"panic", Reason{Summary: "exited", Panic: "panic: boom", Log: append([]string{"panic: boom"}, noise...)}, "exited, and said:\npanic: boom\nx", "x", maxSaid + 20},
	} {
		got := test.reason.String()
		if !strings.HasPrefix(got, test.begin) || !strings.HasSuffix(got, test.end) || len(got) > test.most || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes, %q", test.name, len(got), got)
		}
	}
}

func TestBackOff(t *testing.T) {
	var got []time.Duration
	for n := range 8 {
		got = append(got, BackOff(n, 3*time.Second))
	}
	const ms = time.Millisecond
	if diff := cmp.Diff(got, []time.Duration{0, 0, 250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 3000 * ms, 3000 * ms}); diff != "" {
		t.Errorf("pauses (-got +want):\n%s", diff)
	}
	if got := BackOff(1<<20, 10*time.Second); got != 10*time.Second {
		t.Errorf("the pause after very many crashes is %v", got)
	}
}

func FuzzReadPanic(f *testing.F) {
	f.Add("panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:3 +0x1\n", "/a")
	f.Add("fatal error: all goroutines are asleep - deadlock!\n\t/a/b.go:", "/a")
	f.Fuzz(func(t *testing.T, log, source string) {
		_, pos, _ := readPanic(strings.Split(log, "\n"), source)
		if pos.Line < 0 || pos.File == "" != (pos.Line == 0) {
			t.Errorf("position %+v", pos)
		}
	})
}
