package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
)

func never(Init) (link.Host, error) { panic("start was called") }

func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := Init{Vars: []byte(`{"A":1}`), Dev: true, IdleAfter: time.Minute, LogLevel: slog.LevelWarn}
		ours, theirs := net.Pipe()
		served := make(chan error)
		go func() {
			served <- Serve(theirs, func(got Init) (link.Host, error) {
				if diff := cmp.Diff(got, want); diff != "" {
					t.Errorf("init (-got +want):\n%s", diff)
				}
				return &fakeHost{info: testInfo()}, nil
			})
		}()
		h, err := Connect(t.Context(), ours, want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h.Info(), testInfo()); diff != "" {
			t.Errorf("info (-got +want):\n%s", diff)
		}
		h.Close()
		if err := <-served; err != nil {
			t.Errorf("serve: %v, want nil after the platform has closed the stream", err)
		}
	})
}

func TestHandshakeOfAHostThatCannotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		served := make(chan error)
		broken := errors.New("two room types are named chat")
		go func() { served <- Serve(theirs, func(Init) (link.Host, error) { return nil, broken }) }()
		_, err := Connect(t.Context(), ours, Init{})
		if err == nil || err.Error() != "start the host: two room types are named chat" {
			t.Errorf("got %v", err)
		}
		if err := <-served; err != broken {
			t.Errorf("serve: %v, want %v", err, broken)
		}
	})
}

// otherHello is the first frame of a version that is not ours, and that says more than we know.
var otherHello = frame(kindHello, magic+"\x63what comes with version 99")

func TestHandshakeWithAnotherVersion(t *testing.T) {
	want := fmt.Sprintf("version 99 of the link and this program version %d: rebuild", Version)
	t.Run("host", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				newFrameReader(theirs).next()
				theirs.Write(otherHello)
			}()
			if _, err := Connect(t.Context(), ours, Init{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want …%s…", err, want)
			}
		})
	})
	t.Run("platform", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			answer := make(chan error, 1)
			go func() {
				ours.Write(otherHello)
				_, err := hello(newFrameReader(ours), "the host")
				answer <- err
			}()
			if err := Serve(theirs, never); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want …%s…", err, want)
			}
			if err := <-answer; err != nil {
				t.Errorf("the other version was not told ours: %v", err)
			}
		})
	})
}

func TestHandshakeWithSomethingElse(t *testing.T) {
	for name, said := range map[string]string{
		"http":     "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"nothing":  "",
		"cut off":  string(otherHello[:9]),
		"no magic": string(frame(kindHello, "party lint\x01")),
		"garbage":  string(frame(kindHello, magic+string(rune(Version))+"\xff\xff\xff\xff")),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go io.Copy(io.Discard, theirs)
				go func() {
					io.WriteString(theirs, said)
					theirs.Close()
				}()
				if _, err := Connect(t.Context(), ours, Init{}); err == nil || !strings.Contains(err.Error(), "handshake with the host") {
					t.Errorf("connect: got %v", err)
				}
				platform, host := net.Pipe()
				go func() {
					io.WriteString(platform, said)
					platform.Close()
				}()
				if err := Serve(host, never); err == nil || !strings.Contains(err.Error(), "handshake with the platform") {
					t.Errorf("serve: got %v", err)
				}
			})
		})
	}
}

func TestHandshakeTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Connect(ctx, ours, Init{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if _, err := theirs.Write([]byte("x")); err == nil {
			t.Error("the connection is still open")
		}
		theirs.Close()
	})
}

// TestGarbage sends each end frames that make no sense, after the handshake.
func TestGarbage(t *testing.T) {
	for name, c := range map[string]struct{ up, down []byte }{
		"unknown kind":  {frame(63, "\x01"), frame(63, "\x01")},
		"wrong way":     {frame(kindWake, "\x01"), frame(kindBatch, "\x01")},
		"no number":     {frame(kindBatch, ""), frame(kindEvent, "")},
		"cut off":       {frame(kindBatch, "\x01\x01"), frame(kindEvent, "\x01\x01")},
		"too long":      {frame(kindRelease, "\x01\x00\x00"), frame(kindEnded, "\x01\x00\x00")},
		"no frame":      {[]byte{0, 0, 0, 0}, []byte{0, 0, 0, 0}},
		"too large":     {[]byte{255, 255, 255, 255}, []byte{255, 255, 255, 255}},
		"bad status":    {frame(kindHead, "\x01\x00\x00"), frame(kindCall, "\x01")},
		"list of a lot": {frame(kindGet, "\x01\x01\xff\xff\xff\xff\x0f"), frame(kindSessions, "\x01\xff\xff\xff\xff\x0f")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go func() {
					r, w := newFrameReader(theirs), newWriter(theirs)
					welcome(r, w, func(Init) (link.Host, error) { return &fakeHost{}, nil })
					theirs.Write(c.up)
				}()
				h, err := Connect(t.Context(), ours, Init{})
				if err != nil {
					t.Fatal(err)
				}
				<-h.Done()
				if err := h.Err(); !errors.Is(err, link.ErrHostGone) || strings.Contains(err.Error(), "process ended") {
					t.Errorf("platform: got %v", err)
				}
				h.Close()

				platform, end := net.Pipe()
				served := make(chan error)
				go func() { served <- Serve(end, func(Init) (link.Host, error) { return &fakeHost{}, nil }) }()
				r, w := newFrameReader(platform), newWriter(platform)
				if _, err := greet(t.Context(), platform, r, w, Init{}); err != nil {
					t.Fatal(err)
				}
				go platform.Write(c.down)
				if err := <-served; err == nil {
					t.Error("host: got no error")
				}
			})
		})
	}
}

// FuzzStreams lets both ends read anything after the handshake. Neither may panic or hang.
func FuzzStreams(f *testing.F) {
	f.Add(append(frame(kindBatch, string(appendBatch([]byte{1}, batches()[2]))), frame(kindSync, "\x01\x01")...))
	f.Add(append(frame(kindWake, string(appendWake([]byte{1}, &link.Wake{}))), frame(kindEvent, string(appendEvent([]byte{1}, events()[2], nil)))...))
	f.Add(append(frame(kindCall, string(appendCall([]byte{1}, &link.Call{Kind: 1}, nil))), frame(kindCredit, "\x01\xff\xff\x03")...))
	f.Fuzz(func(t *testing.T, said []byte) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			go func() {
				r, w := newFrameReader(theirs), newWriter(theirs)
				welcome(r, w, func(Init) (link.Host, error) { return &fakeHost{}, nil })
				go io.Copy(io.Discard, theirs)
				theirs.Write(said)
				theirs.Close()
			}()
			h, err := Connect(t.Context(), ours, Init{})
			if err != nil {
				t.Fatal(err)
			}
			h.Wake(link.Wake{Seat: deafSeat{}})
			<-h.Done()
			h.Close()

			platform, end := net.Pipe()
			host := &fakeHost{turn: echo, call: nobody}
			served := make(chan error)
			go func() { served <- Serve(end, func(Init) (link.Host, error) { return host, nil }) }()
			r, w := newFrameReader(platform), newWriter(platform)
			if _, err := greet(t.Context(), platform, r, w, Init{}); err != nil {
				t.Fatal(err)
			}
			go io.Copy(io.Discard, platform)
			platform.Write(said)
			platform.Close()
			<-served
		})
	})
}
