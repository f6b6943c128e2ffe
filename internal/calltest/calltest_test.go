package calltest_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/calltest"
	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// TestMain has a local time that is not UTC, which most machines for tests have.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("Local", 2*60*60)
	times = someTimes()
	m.Run()
}

// outside runs fn as code outside rooms, whose calls stay in this process or cross a stream.
func outside(t testing.TB, streamed bool, fn func(ctx context.Context, lobby *party.Lobby)) {
	t.Helper()
	app := *calltest.PartyApp()
	app.Fetch = func(w http.ResponseWriter, r *http.Request, lobby *party.Lobby) {
		fn(r.Context(), lobby)
		fmt.Fprint(w, "done")
	}
	quiet := slog.New(slog.DiscardHandler)
	p, err := platform.New(platform.Options{Store: memory.New(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	host := func(stream.Init) (link.Host, error) { return party.NewHost(&app, party.HostOptions{Logger: quiet}) }
	h, err := host(stream.Init{})
	if streamed && err == nil {
		here, there := net.Pipe()
		served := make(chan struct{})
		t.Cleanup(func() { <-served })
		go func() {
			defer close(served)
			_ = stream.Serve(there, host) // ends with the stream
		}()
		var s *stream.Host
		if s, err = stream.Connect(t.Context(), here, stream.Init{}); err == nil {
			t.Cleanup(func() { _ = s.Close() })
			h = s
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p.SetHost(h)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/run", nil))
	if w.Body.String() != "done" {
		t.Errorf("the function failed: %d %s", w.Code, w.Body)
	}
}

// methods are those of the room, by what reaches them.
func methods() []string {
	var names []string
	stub, base := reflect.TypeFor[calltest.EchoStub](), reflect.TypeFor[*party.Stub]()
	for n := range stub.NumMethod() {
		name := stub.Method(n).Name
		if _, ok := base.MethodByName(name); !ok {
			names = append(names, name)
		}
	}
	return names
}

// call calls a method with arguments that depend on nothing but the seed.
func call(ctx context.Context, lobby *party.Lobby, method string, seed uint64) (args, results []any, err error) {
	m := reflect.ValueOf(calltest.Parties(lobby).Echo("a")).MethodByName(method)
	r := rand.New(rand.NewPCG(seed, 1))
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for n := 1; n < m.Type().NumIn(); n++ {
		v := reflect.New(m.Type().In(n)).Elem()
		random(r, v, 0)
		in = append(in, v)
		args = append(args, v.Interface())
	}
	out := m.Call(in)
	for _, v := range out[:len(out)-1] {
		results = append(results, v.Interface())
	}
	err, _ = out[len(out)-1].Interface().(error)
	return args, results, err
}

// outcome is one call, with the error as text.
type outcome struct {
	results []any
	err     string
}

const seeds = 400

// TestSameBothWays calls every method with many values in one process and over a stream, and wants the
// same results, or the same error. Over a stream everything is JSON.
func TestSameBothWays(t *testing.T) {
	run := func(streamed bool, method string) []outcome {
		var all []outcome
		outside(t, streamed, func(ctx context.Context, lobby *party.Lobby) {
			for seed := range uint64(seeds) {
				_, results, err := call(ctx, lobby, method, seed)
				o := outcome{results: results}
				if err != nil {
					o.err = err.Error()
				}
				all = append(all, o)
			}
		})
		return all
	}
	for _, method := range methods() {
		t.Run(method, func(t *testing.T) {
			here, there := run(false, method), run(true, method)
			worked := 0
			for seed := range here {
				if here[seed].err == "" {
					worked++
				}
				if !reflect.DeepEqual(here[seed], there[seed]) {
					t.Fatalf("seed %d:\nhere  %+v\nthere %+v", seed, here[seed], there[seed])
				}
			}
			if worked < seeds/10 {
				t.Errorf("only %d of %d calls worked", worked, seeds)
			}
		})
	}
}

// TestNothingShared wants rooms in one process not to reach each other's memory through what a call carries.
func TestNothingShared(t *testing.T) {
	defer func() { calltest.Received = nil }()
	looked := make(map[string]bool)
	outside(t, false, func(ctx context.Context, lobby *party.Lobby) {
		for _, method := range methods() {
			for seed := range uint64(seeds) {
				var received any
				calltest.Received = func(_ context.Context, v any) { received = v }
				args, results, err := call(ctx, lobby, method, seed)
				if err != nil || received == nil {
					continue
				}
				looked[method] = true
				inside := []any{reflect.ValueOf(received).Elem().Interface()}
				for what, s := range map[string]string{
					"the arguments and what the method gets":   shared(args, inside),
					"the results and what the method returned": shared(results, inside),
				} {
					if s != "" {
						t.Errorf("%s, seed %d: %s have something in common: %s", method, seed, what, s)
						return
					}
				}
			}
		}
	})
	for _, method := range []string{"Bytes", "Slices", "Maps", "Tagged", "Anonymous", "Zeroes", "Refs"} {
		if !looked[method] {
			t.Errorf("%s: no call was looked at", method)
		}
	}
}

// TestContext wants a method to have the end of its caller's context, and none of its values.
func TestContext(t *testing.T) {
	defer func() { calltest.Received = nil }()
	type key struct{}
	for _, streamed := range []bool{false, true} {
		t.Run(fmt.Sprintf("streamed=%t", streamed), func(t *testing.T) {
			outside(t, streamed, func(ctx context.Context, lobby *party.Lobby) {
				ctx, end := context.WithTimeout(context.WithValue(ctx, key{}, "private"), time.Hour)
				defer end()
				var inside context.Context
				var remains time.Duration
				calltest.Received = func(ctx context.Context, _ any) {
					inside = ctx
					if at, ok := ctx.Deadline(); ok {
						remains = time.Until(at)
					}
				}
				if _, err := calltest.Parties(lobby).Echo("a").Bytes(ctx, nil); err != nil {
					t.Error(err)
					return
				}
				if remains < 30*time.Minute || remains > time.Hour {
					t.Errorf("%v remained of an hour", remains)
				}
				if v := inside.Value(key{}); v != nil {
					t.Errorf("the method sees the value %v", v)
				}
				select {
				case <-inside.Done():
				case <-time.After(30 * time.Second):
					t.Error("the method's context has not ended with the call")
				}
			})
		})
	}
}

func TestGenerated(t *testing.T) {
	res, err := generator.Generate(generator.Options{Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if res.Diagnostics.HasErrors() {
		t.Fatal(res.Diagnostics)
	}
	for _, f := range res.Files {
		if data, err := os.ReadFile(f.Path); err != nil || string(data) != string(f.Data) {
			t.Errorf("%s is out of date (%v): run party generate internal/calltest", f.Path, err)
		}
	}
}

// BenchmarkCalls are calls to a room that does nothing, in one process and over a stream.
func BenchmarkCalls(b *testing.B) {
	score := calltest.Tagged{
		Text: "a message of some length", Number: 7, Quoted: "x", Empty: []string{"a", "b", "c"}, Maybe: &calltest.Plain{A: 1},
		Words: map[calltest.Word][]string{"one": {"1"}, "two": {"2", "3"}},
	}
	for _, streamed := range []bool{false, true} {
		for _, c := range []struct {
			name string
			call func(ctx context.Context, room calltest.EchoStub) error
		}{
			{"nothing", func(ctx context.Context, room calltest.EchoStub) error { return room.Nothing(ctx) }},
			{"numbers", func(ctx context.Context, room calltest.EchoStub) error {
				_, _, _, err := room.Fixed(ctx, calltest.Flags{}, calltest.Plain{}, [2]string{"a", "b"})
				return err
			}},
			{"struct", func(ctx context.Context, room calltest.EchoStub) error {
				_, err := room.Tagged(ctx, score)
				return err
			}},
			{"kilobyte", func(ctx context.Context, room calltest.EchoStub) error {
				_, err := room.Bytes(ctx, kilobyte)
				return err
			}},
			{"JSON", func(ctx context.Context, room calltest.EchoStub) error {
				_, _, err := room.Any(ctx, "a", nil)
				return err
			}},
		} {
			b.Run(fmt.Sprintf("streamed=%t/%s", streamed, c.name), func(b *testing.B) {
				outside(b, streamed, func(ctx context.Context, lobby *party.Lobby) {
					room := calltest.Parties(lobby).Echo("a")
					b.ReportAllocs()
					for b.Loop() {
						if err := c.call(ctx, room); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

var kilobyte = make([]byte, 1<<10)
