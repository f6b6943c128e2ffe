package party_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/partytest"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

var errBroke = errors.New("broke")

type limitError struct{ Limit int }

func (e *limitError) Error() string { return fmt.Sprintf("more than %d", e.Limit) }

// account is called by others.
type account struct {
	party.Room
	Balance int
	waiting chan<- string
}

func (a *account) Add(ctx context.Context, n int, why []string) (int, string, error) {
	switch {
	case a.Balance+n < 0:
		return 0, "", fmt.Errorf("add %d: %w", n, errBroke)
	case n > 100:
		return 0, "", &limitError{100}
	case n == 13:
		panic("unlucky")
	}
	a.Balance += n
	return a.Balance, strings.Join(why, "+"), nil
}

func (a *account) Wait(ctx context.Context) error {
	return a.Await(ctx, func(ctx context.Context) error {
		a.waiting <- "waits"
		<-ctx.Done()
		a.waiting <- "ended"
		return ctx.Err()
	})
}

// Pay calls another room from a turn.
func (a *account) Pay(ctx context.Context, to string, n int) error {
	a.Balance -= n
	_, _, err := accountStub{party.Caller(a).Lobby().Party("account").Get(to)}.Add(ctx, n, nil)
	return err
}

// accountStub is what generated code would make.
type accountStub struct{ *party.Stub }

func (s accountStub) Add(ctx context.Context, n int, why []string) (total int, reasons string, err error) {
	err = s.Call(ctx, "Add", []any{n, why}, []any{&total, &reasons})
	return total, reasons, err
}

func (s accountStub) Pay(ctx context.Context, to string, n int) error {
	return s.Call(ctx, "Pay", []any{to, n}, nil)
}

func accounts(waiting chan<- string) *party.App {
	return &party.App{
		Errors: []party.KnownError{party.ErrorValue("errBroke", errBroke), party.ErrorType[*limitError]("limitError")},
		Rooms: []party.Definition{{
			Name: "account", Type: "account",
			New: func() party.Instance {
				v := &account{waiting: waiting}
				return party.Instance{Room: &v.Room, Value: v, Persist: []party.Persisted{party.PersistValue("balance", &v.Balance)}}
			},
			Methods: []party.Method{
				{Name: "Add", Func: func(ctx context.Context, v any, call *party.MethodCall) error {
					var n int
					var why []string
					if err := call.Args(&n, &why); err != nil {
						return err
					}
					r0, r1, err := v.(*account).Add(ctx, n, why)
					return call.Return(err, r0, r1)
				}},
				{Name: "Wait", Func: func(ctx context.Context, v any, call *party.MethodCall) error {
					return call.Return(v.(*account).Wait(ctx))
				}},
				{Name: "Pay", Func: func(ctx context.Context, v any, call *party.MethodCall) error {
					var to string
					var n int
					if err := call.Args(&to, &n); err != nil {
						return err
					}
					return call.Return(v.(*account).Pay(ctx, to, n))
				}},
			},
		}},
	}
}

// outside runs fn as the fetch function of an app, which is served in process or over a stream.
// fn must not end the test.
func outside(t *testing.T, app *party.App, streamed bool, fn func(ctx context.Context, lobby *party.Lobby)) {
	t.Helper()
	outsideOn(t, platform.Options{Store: memory.New()}, app, streamed, fn)
}

// outsideOn is outside with options for the platform.
func outsideOn(t *testing.T, o platform.Options, app *party.App, streamed bool, fn func(ctx context.Context, lobby *party.Lobby)) {
	t.Helper()
	app.Fetch = func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
		fn(r.Context(), lobby)
		fmt.Fprint(w, "done")
	}
	quiet := slog.New(slog.DiscardHandler)
	o.Logger = quiet
	p, err := platform.New(o)
	if err != nil {
		t.Fatal(err)
	}
	make := func(stream.Init) (link.Host, error) { return party.NewHost(app, party.HostOptions{Logger: quiet}) }
	host, err := make(stream.Init{})
	if streamed && err == nil {
		here, there := net.Pipe()
		served := testDone(t)
		go func() {
			defer close(served)
			_ = stream.Serve(there, make) // ends with the stream
		}()
		var h *stream.Host
		if h, err = stream.Connect(t.Context(), here, stream.Init{}); err == nil {
			t.Cleanup(func() { _ = h.Close() })
			host = h
		}
	}
	t.Cleanup(func() { // while the host is there: a call may still run that nobody waits for
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.SetHost(host)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/run", nil))
	if w.Body.String() != "done" {
		t.Errorf("the function failed: %d %s", w.Code, w.Body)
	}
}

// testDone returns a channel whose closing the test waits for at its end.
func testDone(t *testing.T) chan struct{} {
	c := make(chan struct{})
	t.Cleanup(func() { <-c })
	return c
}

func TestCalls(t *testing.T) {
	for _, streamed := range []bool{false, true} {
		t.Run(fmt.Sprintf("streamed=%t", streamed), func(t *testing.T) {
			waiting := make(chan string, 2)
			outside(t, accounts(waiting), streamed, func(ctx context.Context, lobby *party.Lobby) {
				testCalls(t, ctx, lobby, waiting)
			})
		})
	}
}

func testCalls(t *testing.T, ctx context.Context, lobby *party.Lobby, waiting <-chan string) {
	ada := accountStub{lobby.Party("account").Get("ada")}
	if total, why, err := ada.Add(ctx, 40, []string{"a", "b"}); total != 40 || why != "a+b" || err != nil {
		t.Errorf("Add: %d, %q, %v", total, why, err)
	}

	_, _, err := ada.Add(ctx, -50, nil)
	if want := "account/ada: Add: add -50: broke"; !errors.Is(err, errBroke) || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	_, _, err = ada.Add(ctx, 101, nil)
	var limit *limitError
	if !errors.As(err, &limit) || limit.Limit != 100 || errors.Is(err, errBroke) {
		t.Errorf("got error %v, want a limit of 100", err)
	}
	var remote *party.RemoteError
	if _, _, err = ada.Add(ctx, 13, nil); !errors.As(err, &remote) || !strings.Contains(remote.Message, "internal error, request ") {
		t.Errorf("of a panic: got error %v", err)
	}

	if err := ada.Pay(ctx, "bob", 30); err != nil {
		t.Errorf("Pay: %v", err)
	}
	if err := ada.Pay(ctx, "bob", -50); !errors.Is(err, errBroke) || !strings.HasPrefix(err.Error(), "account/ada: Pay: account/bob: Add: ") {
		t.Errorf("of a call within a call: got error %v", err)
	}
	// A room can call itself: the call is an await.
	if err := ada.Pay(ctx, "ada", 1); err != nil {
		t.Errorf("Pay to itself: %v", err)
	}

	if err := ada.Call(ctx, "Nothing", nil, nil); err == nil || !strings.Contains(err.Error(), `has no method "Nothing"`) {
		t.Errorf("of a method that is not there: got error %v", err)
	}
	if err := ada.Call(ctx, "Add", []any{1}, nil); err == nil || !strings.Contains(err.Error(), "decode arguments") {
		t.Errorf("of an argument too few: got error %v", err)
	}
	if err := ada.Call(ctx, "Add", []any{func() {}}, nil); err == nil || errors.As(err, &remote) {
		t.Errorf("of an argument that cannot be encoded: got error %v", err)
	}
	if err := lobby.Party("nothing").Get("a").Call(ctx, "Add", nil, nil); err == nil || errors.As(err, &remote) {
		t.Errorf("of a party that is not there: got error %v", err)
	}

	late, end := context.WithTimeout(ctx, 50*time.Millisecond)
	defer end()
	if err := ada.Call(late, "Wait", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("of a call that takes too long: got error %v", err)
	}
	for _, want := range []string{"waits", "ended"} {
		select {
		case got := <-waiting:
			if got != want {
				t.Errorf("the method %s, want %s", got, want)
			}
		case <-time.After(60 * time.Second):
			t.Errorf("the method has not %s", want)
		}
	}
}

// TestCallsFromOutside wants a client not to reach methods.
func TestCallsFromOutside(t *testing.T) {
	s := partytest.New(t, accounts(nil))
	r := httptest.NewRequest("POST", "/party/ada", strings.NewReader("[1, null]"))
	r.Header.Set("X-Party-Rpc", "Add")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Errorf("got %d %s, want 404", w.Code, w.Body)
	}
}

// BenchmarkCall is a call to a room in the same process that writes nothing.
func BenchmarkCall(b *testing.B) {
	app := accounts(nil)
	done := make(chan struct{})
	app.Fetch = func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
		defer close(done)
		ada := accountStub{lobby.Party("account").Get("ada")}
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := ada.Add(r.Context(), 0, nil); err != nil {
				b.Error(err)
				return
			}
		}
	}
	s := partytest.New(b, app)
	s.Request("GET", "/run", "")
	<-done
}
