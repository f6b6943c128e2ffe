package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// inTurn runs fn in a turn of a room at whose other end seat is, and waits for it.
func inTurn(t *testing.T, seat *fakeSeat, fn func(i *fakeRoom)) {
	t.Helper()
	done := make(chan struct{})
	h := pipe(t, &fakeHost{turn: func(i *fakeRoom, _ *link.Event) {
		defer close(done)
		fn(i)
	}})
	h.wake(seat).Deliver(message(1, ""))
	<-done
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.asks); n != 0 {
		t.Errorf("%d questions are still open", n)
	}
}

func TestLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		var gotKeys []string
		var gotRange storage.Range
		synced := 0
		values := map[string][]byte{"a": []byte("1"), "empty": {}}
		entries := []storage.Entry{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{}}}
		seat.get = func(_ context.Context, keys []string) (map[string][]byte, error) {
			gotKeys = keys
			return values, nil
		}
		seat.list = func(_ context.Context, r storage.Range) ([]storage.Entry, error) {
			gotRange = r
			return entries, nil
		}
		seat.sync = func(context.Context) error {
			synced++
			return nil
		}
		inTurn(t, seat, func(i *fakeRoom) {
			keys := []string{"a", "empty", "missing"}
			m, err := i.Seat.Get(t.Context(), keys)
			if diff := cmp.Diff(m, values); err != nil || diff != "" {
				t.Errorf("get: %v (-got +want):\n%s", err, diff)
			}
			if diff := cmp.Diff(gotKeys, keys); diff != "" {
				t.Errorf("keys (-got +want):\n%s", diff)
			}
			r := storage.Range{Prefix: "p", Reverse: true, Limit: 3}
			list, err := i.Seat.List(t.Context(), r)
			if diff := cmp.Diff(list, entries); err != nil || diff != "" || gotRange != r {
				t.Errorf("list of %+v: %v (-got +want):\n%s", gotRange, err, diff)
			}
			if err := i.Seat.Sync(t.Context()); err != nil || synced != 1 {
				t.Errorf("sync: %v, %d calls", err, synced)
			}
		})
	})
}

func TestLoadSeesBatchesBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		seat.get = func(context.Context, []string) (map[string][]byte, error) {
			return map[string][]byte{"batches": {byte(len(seat.batches))}}, nil
		}
		inTurn(t, seat, func(i *fakeRoom) {
			for n := range byte(100) {
				i.Seat.Apply(link.NewBatch())
				m, err := i.Seat.Get(t.Context(), nil)
				if got := m["batches"]; err != nil || !bytes.Equal(got, []byte{n + 1}) {
					t.Fatalf("the load saw %v batches, %v; want %d", got, err, n+1)
				}
			}
		})
	})
}

func TestLoadErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		seat.get = func(context.Context, []string) (map[string][]byte, error) { return nil, storage.ErrFenced }
		seat.list = func(context.Context, storage.Range) ([]storage.Entry, error) {
			return []storage.Entry{{Value: make([]byte, maxFrame)}}, nil
		}
		seat.sync = func(context.Context) error { return errors.New("disk full") }
		seat.fetch = func(context.Context, storage.Room, *http.Request) (*http.Response, error) {
			return nil, context.DeadlineExceeded
		}
		inTurn(t, seat, func(i *fakeRoom) {
			if _, err := i.Seat.Get(t.Context(), nil); !errors.Is(err, storage.ErrFenced) {
				t.Errorf("get: %v, want ErrFenced", err)
			}
			if _, err := i.Seat.List(t.Context(), storage.Range{}); err == nil || !strings.Contains(err.Error(), "64 MiB") {
				t.Errorf("list: %v, want that it is too large", err)
			}
			if err := i.Seat.Sync(t.Context()); err == nil || err.Error() != "disk full" {
				t.Errorf("sync: %v, want disk full", err)
			}
			if _, err := i.Seat.Fetch(t.Context(), storage.Room{}, plainRequest()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("fetch: %v, want a deadline", err)
			}
			i.release()
			if _, err := i.Seat.Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "released") {
				t.Errorf("get after release: %v, want that the room is released", err)
			}
		})
	})
}

func TestLoadIsCancelledBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		cancelled := make(chan error, 1)
		seat.sync = func(ctx context.Context) error {
			<-ctx.Done()
			cancelled <- ctx.Err()
			return ctx.Err()
		}
		inTurn(t, seat, func(i *fakeRoom) {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				synctest.Wait()
				cancel()
			}()
			if err := i.Seat.Sync(ctx); err != context.Canceled {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
			if err := <-cancelled; err != context.Canceled {
				t.Errorf("the platform's context ended with %v", err)
			}
			if err := i.Seat.Sync(ctx); err != context.Canceled {
				t.Errorf("with an ended context: %v", err)
			}
		})
	})
}

func TestLoadsFailWhenThePlatformIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 2)
		h := pipe(t, &fakeHost{turn: func(i *fakeRoom, _ *link.Event) {
			got <- i.Seat.Sync(context.Background())
			got <- i.Seat.Sync(context.Background())
		}})
		seat := newSeat()
		seat.sync = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		h.wake(seat).Deliver(message(1, ""))
		synctest.Wait()
		h.Close()
		for range 2 {
			if err := <-got; err != errPlatformGone {
				t.Errorf("got %v, want %v", err, errPlatformGone)
			}
		}
	})
}

// endless is a body that goes on until it is closed.
type endless struct {
	read   int
	closed chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	select {
	case <-e.closed:
		return 0, errors.New("read after close")
	default:
	}
	for n := range p {
		p[n] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { close(e.closed); return nil }

func TestFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		room := storage.Room{Party: "user", Name: "ada"}
		sent := fullRequest()
		want := see(sent)
		var got *seen
		var target storage.Room
		answer := strings.Repeat("0123456789", 100_000) // several windows
		seat.fetch = func(_ context.Context, to storage.Room, r *http.Request) (*http.Response, error) {
			got, target = see(r), to
			return &http.Response{
				StatusCode: 418, Header: http.Header{"A": {"1", "2"}}, ContentLength: int64(len(answer)),
				Body: io.NopCloser(strings.NewReader(answer)),
			}, nil
		}
		inTurn(t, seat, func(i *fakeRoom) {
			resp, err := i.Seat.Fetch(t.Context(), room, sent)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != answer {
				t.Errorf("body of %d bytes, %v; want %d bytes", len(body), err, len(answer))
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(got, want, alike); diff != "" || target != room {
				t.Errorf("request to %v (-got +want):\n%s", target, diff)
			}
			if resp.StatusCode != 418 || resp.Status != "418 I'm a teapot" || resp.ContentLength != int64(len(answer)) || len(resp.Header["A"]) != 2 {
				t.Errorf("response %+v", resp)
			}
		})
	})
}

func TestFetchStreamsNoFurtherThanItIsRead(t *testing.T) {
	for _, how := range []string{"close", "cancel"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seat := newSeat()
				source := &endless{closed: make(chan struct{})}
				seat.fetch = func(context.Context, storage.Room, *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 200, Body: source, ContentLength: -1}, nil
				}
				inTurn(t, seat, func(i *fakeRoom) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					resp, err := i.Seat.Fetch(ctx, storage.Room{}, plainRequest())
					if err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					if source.read < windowSize || source.read > windowSize+chunkSize {
						t.Errorf("%d bytes were read ahead, want %d and a chunk", source.read, windowSize)
					}
					if _, err := io.ReadFull(resp.Body, make([]byte, 3*windowSize)); err != nil {
						t.Error(err)
					}
					if how == "close" {
						resp.Body.Close()
					} else {
						cancel()
					}
					<-source.closed
					if _, err := io.Copy(io.Discard, resp.Body); err != context.Canceled {
						t.Errorf("read after %s: %v", how, err)
					}
				})
			})
		})
	}
}

func TestFetchBodyBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seat := newSeat()
		seat.fetch = func(context.Context, storage.Room, *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader("half"), errReader{errors.New("broken")})
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body)}, nil
		}
		inTurn(t, seat, func(i *fakeRoom) {
			resp, err := i.Seat.Fetch(t.Context(), storage.Room{}, plainRequest())
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if string(body) != "half" || err == nil || err.Error() != "broken" {
				t.Errorf("got %q, %v; want half and broken", body, err)
			}
		})
	})
}

func TestFetchOfARequestThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inTurn(t, newSeat(), func(i *fakeRoom) {
			broken := plainRequest()
			broken.Body = io.NopCloser(errReader{fs.ErrPermission})
			if _, err := i.Seat.Fetch(t.Context(), storage.Room{}, broken); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("got %v, want %v", err, fs.ErrPermission)
			}
		})
	})
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
