package stream

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// callOn makes a call whose function is fn.
func callOn(t *testing.T, c link.Call, w http.ResponseWriter, fn func(ctx context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error)) (link.Outcome, error) {
	t.Helper()
	h := pipe(t, &fakeHost{call: fn})
	if w == nil {
		w = httptest.NewRecorder()
	}
	return h.Call(t.Context(), c, w)
}

func TestCallComesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := fullCall()
		callOn(t, want, nil, func(_ context.Context, got link.Call, _ http.ResponseWriter) (link.Outcome, error) {
			if diff := cmp.Diff(got, want, alike); diff != "" {
				t.Errorf("call (-got +want):\n%s", diff)
			}
			return link.Outcome{}, nil
		})
	})
}

func TestCallAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		w.Header().Set("X-Before", "kept")
		big := strings.Repeat("0123456789", 100_000)
		out, err := callOn(t, link.Call{Kind: link.CallFetch, Request: plainRequest()}, w, func(_ context.Context, _ link.Call, w http.ResponseWriter) (link.Outcome, error) {
			w.Header().Set("X-A", "1")
			w.WriteHeader(201)
			w.WriteHeader(500) // too late, as in net/http
			w.Header().Set("X-Late", "1")
			io.WriteString(w, "small,")
			io.WriteString(w, big)
			return link.Outcome{Answered: true}, nil
		})
		if err != nil || !out.Answered {
			t.Errorf("got %+v, %v", out, err)
		}
		if w.Code != 201 || w.Body.String() != "small,"+big {
			t.Errorf("status %d and %d bytes, want 201 and %d", w.Code, w.Body.Len(), len(big)+6)
		}
		want := http.Header{"X-A": {"1"}, "X-Before": {"kept"}}
		if diff := cmp.Diff(w.Result().Header, want); diff != "" {
			t.Errorf("header (-got +want):\n%s", diff)
		}
	})
}

// feed is a ResponseWriter that hands on what it gets.
type feed struct {
	header http.Header
	got    chan string
}

func (f *feed) Header() http.Header { return f.header }
func (f *feed) WriteHeader(int)     {}
func (f *feed) Flush()              { f.got <- "flush" }

func (f *feed) Write(p []byte) (int, error) {
	f.got <- string(p)
	return len(p), nil
}

func TestCallStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{header: http.Header{}, got: make(chan string)}
		goOn := make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			_, err := callOn(t, link.Call{Kind: link.CallFetch}, f, func(_ context.Context, _ link.Call, w http.ResponseWriter) (link.Outcome, error) {
				w.(http.Flusher).Flush()
				io.WriteString(w, "one")
				w.(http.Flusher).Flush()
				<-goOn
				io.WriteString(w, "two")
				return link.Outcome{Answered: true}, nil
			})
			ended <- err
		}()
		for _, want := range []string{"flush", "one", "flush"} {
			if got := <-f.got; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		goOn <- struct{}{}
		if got := <-f.got; got != "two" {
			t.Errorf("got %q, want two", got)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestCallIsHeldBackByASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{header: http.Header{}, got: make(chan string)}
		wrote := 0
		ctx, cancel := context.WithCancel(t.Context())
		h := pipe(t, &fakeHost{call: func(ctx context.Context, _ link.Call, w http.ResponseWriter) (link.Outcome, error) {
			chunk := make([]byte, chunkSize)
			for {
				if _, err := w.Write(chunk); err != nil {
					if ctx.Err() == nil {
						t.Errorf("write: %v before the context ended", err)
					}
					return link.Outcome{Answered: true}, nil
				}
				wrote += len(chunk)
			}
		}})
		aborted := make(chan any, 1)
		go func() {
			defer func() { aborted <- recover() }()
			h.Call(ctx, link.Call{Kind: link.CallFetch}, f)
		}()
		synctest.Wait()
		if wrote != windowSize {
			t.Errorf("%d bytes were written ahead, want %d", wrote, windowSize)
		}
		<-f.got
		synctest.Wait()
		if wrote <= windowSize {
			t.Error("nothing more was written after the client had read")
		}
		cancel()
		go func() {
			for range f.got {
			}
		}()
		if v := <-aborted; v != http.ErrAbortHandler {
			t.Errorf("a response with a gap ended with %v, want an abort", v)
		}
		close(f.got)
	})
}

func TestCallEarlyHints(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		callOn(t, link.Call{Kind: link.CallFetch, Request: r}, w, func(_ context.Context, _ link.Call, w http.ResponseWriter) (link.Outcome, error) {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(103)
			w.Header().Del("Link")
			w.WriteHeader(204)
			return link.Outcome{Answered: true}, nil
		})
	}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 204 || resp.Header.Get("Link") != "" {
		t.Errorf("status %d, Link %q; want 204 and none", resp.StatusCode, resp.Header.Get("Link"))
	}
}

type contextKey struct{}

func TestCallPassesTheRequestOn(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *http.Request) *http.Request
		body   string
	}{
		{"as it is", func(r *http.Request) *http.Request { return r }, "the body"},
		{"a copy", func(r *http.Request) *http.Request { return r.Clone(r.Context()) }, "the body"},
		{"partly read", func(r *http.Request) *http.Request { io.ReadFull(r.Body, make([]byte, 4)); return r }, "body"},
		{"another body", func(r *http.Request) *http.Request {
			r.Body = io.NopCloser(strings.NewReader("another"))
			return r
		}, "another"},
		{"no body", func(r *http.Request) *http.Request { r.Body = nil; return r }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.WithValue(t.Context(), contextKey{}, "kept")
				r := fullRequest().WithContext(ctx)
				r.Body = io.NopCloser(strings.NewReader("the body"))
				room := storage.Room{Party: "user", Name: "ada"}
				out, err := callOn(t, link.Call{Kind: link.CallBeforeRequest, Request: r}, nil, func(_ context.Context, call link.Call, _ http.ResponseWriter) (link.Outcome, error) {
					call.Request.Header.Set("X-User", "ada")
					call.Request.URL.Path = "/changed"
					return link.Outcome{Pass: c.change(call.Request), Forward: &room}, nil
				})
				if err != nil || out.Forward == nil || *out.Forward != room {
					t.Fatalf("got %+v, %v", out, err)
				}
				if out.Pass.Context().Value(contextKey{}) != "kept" {
					t.Error("the context was lost")
				}
				want := fullRequest()
				want.Header.Set("X-User", "ada")
				want.URL.Path = "/changed"
				want.Body = newBody([]byte(c.body))
				if diff := cmp.Diff(out.Pass, want, alike); diff != "" {
					t.Errorf("request (-got +want):\n%s", diff)
				}
				if r.Header.Get("X-User") != "" {
					t.Error("the original was changed")
				}
			})
		})
	}
}

func TestCallFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := callOn(t, link.Call{Kind: link.CallCron, Cron: "daily"}, nil, func(context.Context, link.Call, http.ResponseWriter) (link.Outcome, error) {
			return link.Outcome{}, errors.New("no such luck")
		})
		if err == nil || err.Error() != "no such luck" {
			t.Errorf("got %v", err)
		}
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("panic %v, want %v", v, http.ErrAbortHandler)
			}
		}()
		callOn(t, link.Call{Kind: link.CallFetch}, nil, func(context.Context, link.Call, http.ResponseWriter) (link.Outcome, error) {
			panic(http.ErrAbortHandler)
		})
		t.Error("the call returned")
	})
}

func TestCallContexts(t *testing.T) {
	for _, which := range []string{"call", "request"} {
		t.Run(which, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := pipe(t, &fakeHost{call: func(ctx context.Context, c link.Call, _ http.ResponseWriter) (link.Outcome, error) {
					<-ctx.Done()
					<-c.Request.Context().Done()
					return link.Outcome{}, ctx.Err()
				}})
				ctx, cancel := context.WithCancel(t.Context())
				c := link.Call{Kind: link.CallFetch, Request: plainRequest()}
				if which == "request" {
					c.Request = c.Request.WithContext(ctx)
					ctx = t.Context()
				}
				time.AfterFunc(time.Second, cancel)
				if _, err := h.Call(ctx, c, httptest.NewRecorder()); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want %v", err, context.Canceled)
				}
			})
		})
	}
}

func TestCallWhenTheHostDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		h := pipe(t, &fakeHost{call: func(ctx context.Context, _ link.Call, _ http.ResponseWriter) (link.Outcome, error) {
			<-ctx.Done()
			return link.Outcome{}, nil
		}})
		r := plainRequest()
		r.Body = io.NopCloser(strings.NewReader("body"))
		go func() {
			_, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch, Request: r}, httptest.NewRecorder())
			ended <- err
		}()
		synctest.Wait()
		h.conn.Close()
		if err := <-ended; !errors.Is(err, link.ErrHostGone) {
			t.Errorf("got %v, want %v", err, link.ErrHostGone)
		}
		if _, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch}, nil); !errors.Is(err, link.ErrHostGone) {
			t.Errorf("afterwards: got %v, want %v", err, link.ErrHostGone)
		}
		if b, _ := io.ReadAll(r.Body); string(b) != "body" {
			t.Errorf("the body is %q afterwards: the call cannot be made again", b)
		}
	})
}

func TestCallOfTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := plainRequest()
		r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", maxFrame+1)))
		if _, err := callOn(t, link.Call{Kind: link.CallFetch, Request: r}, nil, nil); err == nil || !strings.Contains(err.Error(), "64 MiB") {
			t.Errorf("got %v", err)
		}
	})
}

func TestLobby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		seat.assets = map[string]string{"/index.html": "<html>"}
		seat.fetch = func(_ context.Context, to storage.Room, _ *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("from " + to.Name))}, nil
		}
		var kept link.Lobby
		h := pipe(t, &fakeHost{call: func(ctx context.Context, c link.Call, _ http.ResponseWriter) (link.Outcome, error) {
			kept = c.Lobby
			checkAssets(t, ctx, c.Lobby)
			return link.Outcome{}, nil
		}})
		if _, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch, Lobby: seat}, nil); err != nil {
			t.Fatal(err)
		}
		// It works after the call too.
		resp, err := kept.Fetch(t.Context(), storage.Room{Name: "ada"}, plainRequest())
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); string(b) != "from ada" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

func checkAssets(t *testing.T, ctx context.Context, lobby link.Lobby) {
	t.Helper()
	if data, err := lobby.Asset(ctx, "/index.html"); string(data) != "<html>" || err != nil {
		t.Errorf("asset: %q, %v", data, err)
	}
	if _, err := lobby.Asset(ctx, "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing asset: %v, want %v", err, fs.ErrNotExist)
	}
}

// TestAssetsInRooms reads them through a room's seat, while the room has one.
func TestAssetsInRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		seat.assets = map[string]string{"/index.html": "<html>"}
		inTurn(t, seat, func(i *fakeRoom) {
			checkAssets(t, t.Context(), i.Seat)
			i.release()
			if data, err := i.Seat.Asset(t.Context(), "/index.html"); err == nil {
				t.Errorf("after the release: got %q", data)
			}
		})
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		h := pipe(t, &fakeHost{call: func(ctx context.Context, c link.Call, _ http.ResponseWriter) (link.Outcome, error) {
			select {
			case <-goOn:
				return link.Outcome{}, nil
			case <-ctx.Done():
				return link.Outcome{}, ctx.Err()
			}
		}})
		ended := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch}, nil)
				ended <- err
			}()
		}
		synctest.Wait()
		goOn <- struct{}{}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := h.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("drain with a call that runs: %v after %v", err, time.Since(began))
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call that ran ended with %v, want %v", err, context.Canceled)
		}
		if err := h.Drain(t.Context()); err != nil {
			t.Errorf("drain without calls: %v", err)
		}
		if _, err := h.Call(t.Context(), link.Call{Kind: link.CallFetch}, nil); !errors.Is(err, link.ErrHostGone) {
			t.Errorf("call after drain: %v, want %v", err, link.ErrHostGone)
		}
	})
}
