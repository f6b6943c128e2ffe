package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// inRoom runs fn as a turn of a fresh room for each engine.
func inRoom(t *testing.T, fn func(t *testing.T, ctx context.Context, r *scripted)) {
	for name, open := range map[string]func(*testing.T) storage.Store{
		"memory": func(*testing.T) storage.Store { return memory.New() },
		"sqlite": func(t *testing.T) storage.Store {
			s, err := sqlite.Open(t.TempDir()+"/party.db", sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			hs := start(t, quiet(), server.Store(open(t)), server.Rooms(script{
				request: func(r *scripted, w http.ResponseWriter, req *http.Request) { fn(t, req.Context(), r) },
			}.define("chat")))
			visit(t, hs.URL+"/party/x").check(t, 200, "")
		})
	}
}

// model is what a room's storage should hold.
type model map[string]string

func (m model) list(o party.ListOptions) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, o.Prefix) && k >= o.Start && (o.StartAfter == "" || k > o.StartAfter) && (o.End == "" || k < o.End) {
			out = append(out, k+"="+m[k])
		}
	}
	if o.Reverse {
		slices.Reverse(out)
	}
	if o.Limit > 0 && len(out) > o.Limit {
		out = out[:o.Limit]
	}
	return out
}

// TestStorageModel does what comes to a random mind, and compares with a map.
// Some of it is committed between the steps, some is pending.
func TestStorageModel(t *testing.T) {
	seed := rand.Uint64()
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		st := r.Storage()
		m := model{}
		key := func() string {
			return []string{"", "a", "b", "ü", "\xff"}[rnd.IntN(5)] + fmt.Sprint(rnd.IntN(12))
		}
		for n := range 1500 {
			switch k := key(); rnd.IntN(12) {
			case 0, 1, 2, 3:
				if err := st.Put(ctx, k, fmt.Sprint(n)); err != nil {
					t.Fatal(err)
				}
				m[k] = fmt.Sprint(n)
			case 4, 5:
				other := key()
				if other == k {
					continue
				}
				want := 0
				for _, k := range []string{k, other} {
					if _, ok := m[k]; ok {
						want++
					}
					delete(m, k)
				}
				if got, err := st.Delete(ctx, k, other); got != want || err != nil {
					t.Fatalf("Delete(%q, %q): got %d, %v, want %d", k, other, got, err, want)
				}
			case 6:
				if rnd.IntN(10) == 0 {
					if err := st.DeleteAll(ctx); err != nil {
						t.Fatal(err)
					}
					m = model{}
				}
			case 7:
				if err := st.Sync(ctx); err != nil {
					t.Fatal(err)
				}
			case 8:
				before := maps.Clone(m)
				errStop := errors.New("stop")
				err := st.Transaction(ctx, func(ctx context.Context) error {
					if rnd.IntN(5) == 0 {
						st.DeleteAll(ctx)
						m = model{}
					}
					for range rnd.IntN(30) {
						k := key()
						st.Put(ctx, k, "tx")
						m[k] = "tx"
					}
					if rnd.IntN(2) == 0 {
						return errStop
					}
					return nil
				})
				if err != nil {
					m = before
				}
			case 9:
				var got string
				ok, err := st.Get(ctx, k, &got)
				want, exists := m[k]
				if ok != exists || got != want || err != nil {
					t.Fatalf("Get(%q): got %q, %v, %v, want %q, %v", k, got, ok, err, want, exists)
				}
			default:
				o := party.ListOptions{Reverse: rnd.IntN(2) == 0, Limit: rnd.IntN(8)}
				if rnd.IntN(2) == 0 {
					o.Prefix = k[:len(k)-1]
				}
				switch rnd.IntN(3) {
				case 0:
					o.Start = key()
				case 1:
					o.StartAfter = key()
				}
				if rnd.IntN(3) == 0 {
					o.End = key()
				}
				entries, err := st.List(ctx, o)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, e := range entries {
					var v string
					if err := e.Decode(&v); err != nil {
						t.Fatal(err)
					}
					got = append(got, e.Key+"="+v)
				}
				if diff := cmp.Diff(got, m.list(o)); diff != "" {
					t.Fatalf("step %d: List(%+v): %s", n, o, diff)
				}
			}
		}
	})
}

func TestTransaction(t *testing.T) {
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		st := r.Storage()
		st.Put(ctx, "k", "before")
		for name, end := range map[string]func() error{
			"error": func() error { return errors.New("stop") },
			"panic": func() error { panic("stop") },
		} {
			func() {
				defer func() {
					if v := recover(); (v != nil) != (name == "panic") {
						t.Errorf("%s: recovered %v", name, v)
					}
				}()
				err := st.Transaction(ctx, func(ctx context.Context) error {
					st.Put(ctx, "k", "within")
					st.Put(ctx, "other", "within")
					return end()
				})
				if err == nil || err.Error() != "stop" {
					t.Errorf("got %v", err)
				}
			}()
			if v, _, err := party.Get[string](ctx, st, "k"); v != "before" || err != nil {
				t.Errorf("%s: got %q, %v", name, v, err)
			}
			if _, ok, err := party.Get[string](ctx, st, "other"); ok || err != nil {
				t.Errorf("%s: the new key exists, %v", name, err)
			}
		}
		err := st.Transaction(ctx, func(ctx context.Context) error {
			st.Put(ctx, "outer", 1)
			st.Transaction(ctx, func(ctx context.Context) error {
				st.Put(ctx, "inner", 1)
				return errors.New("inner stops")
			})
			return nil
		})
		_, inner, _ := party.Get[int](ctx, st, "inner")
		_, outer, _ := party.Get[int](ctx, st, "outer")
		if err != nil || inner || !outer {
			t.Errorf("nested: %v, inner %v, outer %v", err, inner, outer)
		}
	})
}

func TestStorageLimits(t *testing.T) {
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		st := r.Storage()
		longest, longer := strings.Repeat("k", 2048), strings.Repeat("k", 2049)
		largest := make([]byte, 2<<20)
		for _, k := range []string{"", longer} {
			_, getErr := st.Get(ctx, k, new(int))
			_, deleteErr := st.Delete(ctx, "fine", k)
			for name, err := range map[string]error{"Put": st.Put(ctx, k, 1), "Get": getErr, "Delete": deleteErr} {
				if !errors.Is(err, party.ErrKeyTooLong) {
					t.Errorf("%s of a key of %d bytes: %v", name, len(k), err)
				}
			}
		}
		if err := st.Put(ctx, longest, largest); err != nil {
			t.Error(err)
		}
		if err := st.Put(ctx, "k", append(largest, 0)); !errors.Is(err, party.ErrValueTooLarge) {
			t.Errorf("bytes: %v", err)
		}
		if err := st.Put(ctx, "k", strings.Repeat("x", 2<<20-1)); !errors.Is(err, party.ErrValueTooLarge) {
			t.Errorf("as JSON: %v", err)
		}
		if err := st.Put(ctx, "k", func() {}); err == nil {
			t.Error("no error for what JSON cannot express")
		}
		if _, err := st.List(ctx, party.ListOptions{Start: "a", StartAfter: "b"}); err == nil {
			t.Error("no error for two starts")
		}
		if _, err := st.List(ctx, party.ListOptions{Limit: -1}); err == nil {
			t.Error("no error for a negative limit")
		}
		if err := st.Sync(ctx); err != nil {
			t.Error(err)
		}
		if v, ok, err := party.Get[[]byte](ctx, st, longest); !ok || len(v) != 2<<20 || err != nil {
			t.Errorf("the largest value: %d bytes, %v, %v", len(v), ok, err)
		}
	})
}

// TestDeleteCountsAKeyOnce counts what existed, however often it is named.
func TestDeleteCountsAKeyOnce(t *testing.T) {
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		st := r.Storage()
		for _, when := range []string{"pending", "durable"} {
			st.Put(ctx, "a", 1)
			st.Put(ctx, "b", 1)
			if when == "durable" {
				st.Sync(ctx)
			}
			if n, err := st.Delete(ctx, "a", "none", "b", "a", "none", "a"); n != 2 || err != nil {
				t.Errorf("%s: got %d, %v, want 2", when, n, err)
			}
		}
	})
}

// TestValues shows what is stored of a value.
func TestValues(t *testing.T) {
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		st := r.Storage()
		type point struct{ X, Y int }
		b := []byte{0, 1, 255}
		st.Put(ctx, "bytes", b)
		b[0] = 9 // the caller's own again
		st.Put(ctx, "point", point{1, 2})
		st.Put(ctx, "nil", nil)
		st.Put(ctx, "empty", []byte(nil))
		for _, when := range []string{"pending", "durable"} {
			if v, ok, err := party.Get[[]byte](ctx, st, "bytes"); !bytes.Equal(v, []byte{0, 1, 255}) || !ok || err != nil {
				t.Errorf("%s: bytes: %v, %v, %v", when, v, ok, err)
			} else {
				v[0] = 7 // a copy
			}
			if v, ok, err := party.Get[point](ctx, st, "point"); v != (point{1, 2}) || !ok || err != nil {
				t.Errorf("%s: point: %v, %v, %v", when, v, ok, err)
			}
			if v, ok, err := party.Get[*int](ctx, st, "nil"); v != nil || !ok || err != nil {
				t.Errorf("%s: nil: %v, %v, %v", when, v, ok, err)
			}
			if v, ok, err := party.Get[[]byte](ctx, st, "empty"); v == nil || len(v) > 0 || !ok || err != nil {
				t.Errorf("%s: empty: %v, %v, %v", when, v, ok, err)
			}
			if _, _, err := party.Get[int](ctx, st, "point"); err == nil || !strings.Contains(err.Error(), `"point"`) {
				t.Errorf("%s: the wrong type: %v", when, err)
			}
			st.Sync(ctx)
		}
	})
}

// TestOutsideTurn shows the error of storage and alarms used without a turn.
func TestOutsideTurn(t *testing.T) {
	inRoom(t, func(t *testing.T, ctx context.Context, r *scripted) {
		r.Await(ctx, func(ctx context.Context) error {
			st := r.Storage()
			_, getErr := st.Get(ctx, "k", new(int))
			_, deleteErr := st.Delete(ctx, "k")
			_, listErr := st.List(ctx, party.ListOptions{})
			for name, err := range map[string]error{
				"Get": getErr, "Put": st.Put(ctx, "k", 1), "Delete": deleteErr, "List": listErr, "DeleteAll": st.DeleteAll(ctx), "Sync": st.Sync(ctx),
				"Transaction": st.Transaction(ctx, func(context.Context) error { return nil }),
				"SetAlarm":    r.SetAlarm(time.Now()), "DeleteAlarm": r.DeleteAlarm(),
			} {
				if !errors.Is(err, party.ErrOutsideTurn) {
					t.Errorf("%s: %v", name, err)
				}
			}
			return nil
		})
	})
}

// TestRoomsDoNotShare shows that equal keys of two rooms are two keys.
func TestRoomsDoNotShare(t *testing.T) {
	s := script{request: func(r *scripted, w http.ResponseWriter, req *http.Request) {
		ctx := req.Context()
		old, _, _ := party.Get[string](ctx, r.Storage(), "k")
		r.Storage().Put(ctx, "k", r.Party()+r.Name())
		fmt.Fprint(w, old)
	}}
	hs := start(t, server.Data(t.TempDir()), server.Rooms(s.define("a"), s.define("b")))
	for _, path := range []string{"a/x", "a/y", "b/x", "a/X"} {
		visit(t, hs.URL+"/parties/"+path).check(t, 200, "")
	}
	visit(t, hs.URL+"/parties/a/x").check(t, 200, "ax")
	visit(t, hs.URL+"/parties/b/x").check(t, 200, "bx")
}
