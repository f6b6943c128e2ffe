//go:build unix

package stream

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/goparty-dev/party/internal/link"
)

// socketpair is how the dev server and the host are really joined.
func socketpair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]net.Conn
	for n, fd := range fds {
		f := os.NewFile(uintptr(fd), "socketpair")
		if conns[n], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return conns[0], conns[1]
}

func TestSocketpair(t *testing.T) {
	ours, theirs := socketpair(t)
	big := strings.Repeat("0123456789", 200_000)
	h := connect(t, &fakeHost{turn: echo, call: func(_ context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error) {
		io.Copy(w, c.Request.Body)
		return link.Outcome{Answered: true}, nil
	}}, ours, theirs)
	var wg sync.WaitGroup
	for n := range 4 {
		seat := newSeat()
		room := h.wake(seat)
		wg.Go(func() {
			for seq := range uint64(500) {
				data := fmt.Sprint(n, seq)
				if seq%100 == 99 {
					data = big
				}
				if !room.Deliver(message(seq+1, data)) {
					t.Error("not taken")
				}
			}
		})
		wg.Go(func() {
			for seq := range uint64(500) {
				want := fmt.Sprint(n, seq)
				if seq%100 == 99 {
					want = big
				}
				if b := <-seat.batches; b.Consumed != seq+1 || b.Effects[0].Data != want {
					t.Errorf("room %d: batch for %d, want %d", n, b.Consumed, seq+1)
				}
			}
		})
		wg.Go(func() {
			r := plainRequest()
			r.Body = io.NopCloser(strings.NewReader(big))
			w := httptest.NewRecorder()
			if out, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch, Request: r}, w); err != nil || !out.Answered {
				t.Errorf("call: %+v, %v", out, err)
			}
			if w.Body.String() != big {
				t.Errorf("call answered %d bytes, want %d", w.Body.Len(), len(big))
			}
		})
	}
	wg.Wait()
}

// TestSocketpairDeath ends the host's end while it is written to from all sides.
func TestSocketpairDeath(t *testing.T) {
	before := runtime.NumGoroutine()
	ours, theirs := socketpair(t)
	h := connect(t, &fakeHost{turn: echo}, ours, theirs)
	var wg sync.WaitGroup
	for range 4 {
		seat := newSeat()
		room := h.wake(seat)
		sent := uint64(0)
		wg.Go(func() {
			for room.Deliver(message(sent+1, "x")) {
				sent++
				if sent == 1000 {
					theirs.(*net.UnixConn).CloseWrite()
				}
			}
			left := <-seat.released
			answered := uint64(len(seat.batches))
			if answered+uint64(len(left)) != sent {
				t.Errorf("%d sent, but %d answered and %d left", sent, answered, len(left))
			}
			for n, ev := range left {
				if ev.Seq != answered+uint64(n)+1 {
					t.Errorf("left %v after %d were answered", seqs(left), answered)
					break
				}
			}
		})
	}
	wg.Wait()
	h.Close()
	for runtime.NumGoroutine() > before+1 { // the goroutine that waits for Serve's result, in cleanup
		runtime.Gosched()
	}
}

// countingSeat answers each batch with a token.
type countingSeat struct {
	fakeSeat
	tokens chan struct{}
}

func (s *countingSeat) Apply(b *link.Batch) {
	b.Free()
	s.tokens <- struct{}{}
}

// BenchmarkEcho is a message down and the batch that echoes it up.
func BenchmarkEcho(b *testing.B) {
	for _, inFlight := range []int{1, 64} {
		b.Run(fmt.Sprintf("inflight=%d", inFlight), func(b *testing.B) {
			ours, theirs := socketpair(b)
			h := connect(b, &fakeHost{turn: echo}, ours, theirs)
			seat := &countingSeat{fakeSeat: *newSeat(), tokens: make(chan struct{}, inFlight)}
			room := h.wake(seat)
			data := strings.Repeat("x", 64)
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				if sent >= inFlight {
					<-seat.tokens
				}
				sent++
				room.Deliver(message(uint64(sent), data))
			}
			for range min(sent, inFlight) {
				<-seat.tokens
			}
		})
	}
}

// BenchmarkRooms echoes in many rooms at once.
func BenchmarkRooms(b *testing.B) {
	ours, theirs := socketpair(b)
	h := connect(b, &fakeHost{turn: echo}, ours, theirs)
	data := strings.Repeat("x", 64)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		seat := &countingSeat{fakeSeat: *newSeat(), tokens: make(chan struct{}, 1)}
		room := h.wake(seat)
		for seq := uint64(1); pb.Next(); seq++ {
			room.Deliver(message(seq, data))
			<-seat.tokens
		}
	})
}
