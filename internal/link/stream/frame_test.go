package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// stub is a connection that reads from one place and writes to another.
type stub struct {
	net.Conn // nil: only what is overridden may be used
	io.Reader
	io.Writer
}

func (s stub) Read(p []byte) (int, error)  { return s.Reader.Read(p) }
func (s stub) Write(p []byte) (int, error) { return s.Writer.Write(p) }
func (s stub) Close() error                { return nil }

func frame(k kind, payload string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)+1))
	return append(append(b, byte(k)), payload...)
}

func TestFramesOfAnySize(t *testing.T) {
	var want []string
	var stream []byte
	for _, size := range []int{0, 1, 100, 32<<10 - 6, 32<<10 - 5, 32<<10 - 4, 100_000, 1<<20 + 1, 3, 5 << 20, 0} {
		want = append(want, strings.Repeat("x", size))
		stream = append(stream, frame(kindChunk, want[len(want)-1])...)
	}
	for name, r := range map[string]io.Reader{
		"whole":  bytes.NewReader(stream),
		"halves": iotest.HalfReader(bytes.NewReader(stream)),
	} {
		fr := newFrameReader(stub{Reader: r})
		for n, w := range want {
			k, got, err := fr.next()
			if err != nil || k != kindChunk || string(got) != w {
				t.Fatalf("%s: frame %d: kind %d, %d bytes, error %v; want %d bytes", name, n, k, len(got), err, len(w))
			}
		}
		if _, _, err := fr.next(); err != io.EOF {
			t.Errorf("%s: at the end got %v, want io.EOF", name, err)
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	var tooLarge sizeError
	for _, c := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"no length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"empty", []byte{0, 0, 0, 0}, errMalformed},
		{"cut off", frame(kindChunk, "abc")[:6], io.ErrUnexpectedEOF},
		{"large, cut off", frame(kindChunk, strings.Repeat("x", 1<<20))[:1<<19], io.ErrUnexpectedEOF},
		{"announces too much", []byte{0xff, 0xff, 0xff, 0xff, 1}, nil},
	} {
		_, _, err := newFrameReader(stub{Reader: bytes.NewReader(c.stream)}).next()
		switch {
		case c.want == nil:
			if !errors.As(err, &tooLarge) {
				t.Errorf("%s: got %v, want a size error", c.name, err)
			}
		case err != c.want:
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestFrameReaderTrustsOnlyWhatArrives(t *testing.T) {
	announced := append(binary.BigEndian.AppendUint32(nil, maxFrame), make([]byte, 100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := newFrameReader(stub{Reader: bytes.NewReader(announced)}).next()
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("got %v, want io.ErrUnexpectedEOF", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for 100 that arrived", got)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(frame(kindChunk, "abc"))
	f.Add(append(frame(kindBatch, strings.Repeat("x", 40000)), frame(kindDone, "")...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := newFrameReader(stub{Reader: bytes.NewReader(stream)})
		var again []byte
		for {
			k, payload, err := r.next()
			if err != nil {
				break
			}
			again = append(again, frame(k, string(payload))...)
		}
		if !bytes.HasPrefix(stream, again) {
			t.Errorf("frames of %x: %x", stream, again)
		}
	})
}

// slowWriter takes one write whenever it is told to.
type slowWriter struct {
	mu     sync.Mutex
	writes [][]byte
	next   chan struct{}
}

func (w *slowWriter) Write(p []byte) (int, error) {
	<-w.next
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), nil
}

func send(w *writer, payload string) error {
	return w.end(append(w.begin(kindChunk), payload...))
}

func TestWriterCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowWriter{next: make(chan struct{})}
		w := newWriter(stub{Writer: slow})
		send(w, "first")
		go w.flush()
		synctest.Wait()
		for range 10 {
			send(w, "more")
			w.flush() // returns, as another goroutine writes
		}
		slow.next <- struct{}{}
		slow.next <- struct{}{}
		synctest.Wait()
		if len(slow.writes) != 2 {
			t.Fatalf("%d writes, want 2", len(slow.writes))
		}
		if got, want := slow.writes[1], bytes.Repeat(frame(kindChunk, "more"), 10); !bytes.Equal(got, want) {
			t.Errorf("second write: %q, want %q", got, want)
		}
		if w.flushing || len(w.buf) > 0 {
			t.Error("the writer did not come to rest")
		}
	})
}

func TestWriterHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowWriter{next: make(chan struct{})}
		w := newWriter(stub{Writer: slow})
		send(w, "first")
		go w.flush()
		synctest.Wait()
		send(w, strings.Repeat("x", highWater))
		blocked := true
		go func() {
			w.flush()
			blocked = false
		}()
		w.kick() // never blocks
		synctest.Wait()
		if !blocked {
			t.Error("flush did not wait for the peer to read")
		}
		slow.next <- struct{}{}
		synctest.Wait()
		if blocked {
			t.Error("flush still waits")
		}
		slow.next <- struct{}{}
	})
}

func TestWriterRefusesTooLarge(t *testing.T) {
	var out bytes.Buffer
	w := newWriter(stub{Writer: &out})
	send(w, "before")
	var tooLarge sizeError
	if err := send(w, strings.Repeat("x", maxFrame)); !errors.As(err, &tooLarge) || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("got %v, want a size error", err)
	}
	send(w, "after")
	w.flush()
	if got, want := out.String(), string(frame(kindChunk, "before"))+string(frame(kindChunk, "after")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriterBroken(t *testing.T) {
	a, b := net.Pipe()
	b.Close()
	w := newWriter(a)
	if err := send(w, "x"); err != nil {
		t.Fatal(err)
	}
	w.flush()
	if err := send(w, "y"); err == nil {
		t.Error("a frame was taken for a broken connection")
	}
	w.flush()
	w.kick()
}
