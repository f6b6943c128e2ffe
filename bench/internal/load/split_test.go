package load

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func frame(first byte, length int) []byte {
	b := AppendText(nil, strings.Repeat("x", length))
	// What a client sends, without its mask, is what a server sends.
	mask := len(b) - length - 4
	b = append(b[:mask:mask], b[mask+4:]...)
	b[0], b[1] = first, b[1]&0x7f
	return b
}

func TestSplitFrame(t *testing.T) {
	for _, length := range []int{0, 1, 125, 126, 200, 65535, 65536, 100_000} {
		b := frame(0x81, length)
		for cut := 0; cut < len(b); cut += 1 + len(b)/50 {
			if m, n, err := SplitFrame(b[:cut]); m != nil || n != 0 || err != nil {
				t.Fatalf("SplitFrame(first %d of %d bytes) = %d bytes, %d, %v, want nothing yet", cut, len(b), len(m), n, err)
			}
		}
		m, n, err := SplitFrame(append(b, "next"...))
		if m == nil || len(m) != length || n != len(b) || err != nil {
			t.Errorf("SplitFrame(frame of %d) = %d bytes, %d, %v, want %d bytes, %d, nil", length, len(m), n, err, length, len(b))
		}
	}
}

func TestSplitFrameOthers(t *testing.T) {
	tests := []struct {
		name string
		in   []byte
		n    int
		err  string
	}{
		{"ping", frame(0x89, 3), 5, ""},
		{"close", append([]byte{0x88, 6, 0x03, 0xf3}, "oops"...), 0, `server closed with 1011 "oops"`},
		{"empty close", []byte{0x88, 0}, 0, "server closed without a code"},
		{"fragment", frame(0x01, 3), 0, "frame is fragmented"},
		{"masked", AppendText(nil, "x"), 0, "frame of a server is masked"},
		{"huge", []byte{0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0}, 0, "frame of 18374686479671623680 bytes"},
	}
	for _, tt := range tests {
		m, n, err := SplitFrame(tt.in)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if m != nil || n != tt.n || text != tt.err {
			t.Errorf("%s: SplitFrame = %q, %d, %q, want nil, %d, %q", tt.name, m, n, text, tt.n, tt.err)
		}
	}
}

func TestSplitResponse(t *testing.T) {
	const response = "HTTP/1.1 200 OK\r\nDate: now\r\ncontent-length: 5\r\n\r\nhello"
	for cut := range len(response) {
		if m, n, err := SplitResponse([]byte(response[:cut])); m != nil || n != 0 || err != nil {
			t.Fatalf("SplitResponse(%q) = %q, %d, %v, want nothing yet", response[:cut], m, n, err)
		}
	}
	m, n, err := SplitResponse([]byte(response + "HTTP"))
	if string(m) != "hello" || n != len(response) || err != nil {
		t.Errorf("SplitResponse = %q, %d, %v, want hello, %d, nil", m, n, err, len(response))
	}
	for in, want := range map[string]string{
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n":     `server answered "HTTP/1.1 404 Not Found"`,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":   "response without Content-Length",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":           `bad Content-Length " -1"`,
		"HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\nxx": `bad Content-Length " 4294967295"`,
	} {
		_, _, err := SplitResponse([]byte(in))
		if err == nil || err.Error() != want {
			t.Errorf("SplitResponse(%q): error %v, want %s", in, err, want)
		}
	}
}

// fuzzSplitter checks what every splitter promises: it never takes more than
// there is, and what follows a message does not change it.
func fuzzSplitter(t *testing.T, split Splitter, b []byte) {
	m, n, err := split(b)
	if n < 0 || n > len(b) || len(m) > n || (err != nil && n != 0) {
		t.Fatalf("split(%q) = %q, %d, %v", b, m, n, err)
	}
	if n == 0 {
		return
	}
	again, n2, err := split(append(bytes.Clone(b[:n]), "tail"...))
	if n2 != n || err != nil || !cmp.Equal(again, m) {
		t.Fatalf("split with another tail = %q, %d, %v, want %q, %d, nil", again, n2, err, m, n)
	}
}

func FuzzSplitFrame(f *testing.F) {
	f.Add(frame(0x81, 5))
	f.Add(frame(0x82, 300))
	f.Add(frame(0x89, 0))
	f.Add([]byte{0x88, 2, 3, 0xe8})
	f.Fuzz(func(t *testing.T, b []byte) { fuzzSplitter(t, SplitFrame, b) })
}

func FuzzSplitResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1"))
	f.Add([]byte("HTTP/1.1 500 no\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) { fuzzSplitter(t, SplitResponse, b) })
}
