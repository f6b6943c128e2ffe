package party

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
)

// modelSeat is a platform whose store is a model.
type modelSeat struct {
	link.Seat
	stored storagetest.Model
}

func (s *modelSeat) Apply(b *link.Batch) {
	s.stored.Apply(storage.Commit{Clear: b.Clear, Ops: b.Ops})
	b.Free()
}

func (s *modelSeat) Get(_ context.Context, keys []string) (map[string][]byte, error) {
	found := make(map[string][]byte)
	for _, k := range keys {
		if v, ok := s.stored.Value(k); ok {
			found[k] = []byte(v)
		}
	}
	return found, nil
}

func (s *modelSeat) List(_ context.Context, r storage.Range) ([]storage.Entry, error) {
	return s.stored.List(r), nil
}

func (s *modelSeat) Sync(context.Context) error { return nil }
func (s *modelSeat) Release([]*link.Event)      {}

// bareRoom has no callbacks.
type bareRoom struct{ Room }

// turnPlayer does random things to a room's storage in turns, and to a model of what the room is to see.
type turnPlayer struct {
	t    *testing.T
	rng  *rand.Rand
	room Storage
	seen storagetest.Model
}

// key is one that room code may use.
func (p *turnPlayer) key() string {
	for {
		if k := storagetest.RandomKey(p.rng); k != "" && !isHidden(k) {
			return k
		}
	}
}

func (p *turnPlayer) keys() []string {
	var keys []string
	for range p.rng.IntN(4) {
		keys = append(keys, p.key())
	}
	return keys
}

func (p *turnPlayer) put(keys ...string) {
	values := make(map[string]any)
	c := storage.Commit{}
	for _, k := range keys {
		v := fmt.Appendf(nil, "%d", p.rng.IntN(1000))
		values[k] = v
		c.Ops = append(c.Ops, storage.Op{Key: k, Value: v})
	}
	for _, op := range c.Ops {
		op.Value = values[op.Key].([]byte) // of two values for one key the later one is put
		p.seen.Apply(storage.Commit{Ops: []storage.Op{op}})
	}
	if len(keys) == 1 {
		p.must(p.room.Put(p.t.Context(), keys[0], values[keys[0]]))
	} else {
		p.must(p.room.PutAll(p.t.Context(), values))
	}
}

func (p *turnPlayer) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// remove deletes keys and compares how many there were.
func (p *turnPlayer) remove(keys []string) {
	unique := slices.Compact(slices.Sorted(slices.Values(keys)))
	want := 0
	c := storage.Commit{}
	for _, k := range unique {
		if _, ok := p.seen.Value(k); ok {
			want++
		}
		c.Ops = append(c.Ops, storage.Op{Key: k, Delete: true})
	}
	p.seen.Apply(c)
	n, err := p.room.Delete(p.t.Context(), keys...)
	if err != nil || n != want {
		p.t.Fatalf("Delete(%q) = %d, %v, want %d", keys, n, err, want)
	}
}

// compare compares one list and some values.
func (p *turnPlayer) compare() {
	p.t.Helper()
	r := storagetest.RandomRange(p.rng)
	got, err := p.room.List(p.t.Context(), ListOptions{Prefix: r.Prefix, Start: r.Start, StartAfter: r.After, End: r.End, Reverse: r.Reverse, Limit: r.Limit})
	p.same(fmt.Sprintf("List(%+v)", r), got, err, p.seen.List(r))
	keys := p.keys()
	got, err = p.room.GetAll(p.t.Context(), keys...)
	var want []storage.Entry
	for _, k := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		if v, ok := p.seen.Value(k); ok {
			want = append(want, storage.Entry{Key: k, Value: []byte(v)})
		}
	}
	p.same(fmt.Sprintf("GetAll(%q)", keys), got, err, want)
	key := p.key()
	var value []byte
	exists, err := p.room.Get(p.t.Context(), key, &value)
	if v, ok := p.seen.Value(key); err != nil || exists != ok || string(value) != v {
		p.t.Fatalf("Get(%q) = %q, %v, %v, want %q, %v", key, value, exists, err, v, ok)
	}
}

func (p *turnPlayer) same(what string, got []Entry, err error, want []storage.Entry) {
	p.t.Helper()
	ok := err == nil && len(got) == len(want)
	for n := 0; ok && n < len(got); n++ {
		ok = got[n].Key == want[n].Key && bytes.Equal(got[n].value, want[n].Value)
	}
	if !ok {
		p.t.Fatalf("%s = %q, %v, want %q", what, got, err, want)
	}
}

var errUndo = errors.New("undo")

// act does one thing, which may consist of others.
func (p *turnPlayer) act(depth int) {
	switch k := p.rng.IntN(20); {
	case k < 6:
		p.put(p.key())
	case k < 8:
		p.put(p.keys()...)
	case k < 11:
		p.remove(p.keys())
	case k < 12:
		p.must(p.room.DeleteAll(p.t.Context()))
		p.seen.Apply(storage.Commit{Clear: true})
	case k < 14 && depth < 3:
		before := p.seen.Clone()
		result := []error{nil, errUndo}[p.rng.IntN(2)]
		err := p.room.Transaction(p.t.Context(), func(context.Context) error {
			for range p.rng.IntN(25) {
				p.act(depth + 1)
			}
			return result
		})
		if err != result {
			p.t.Fatalf("Transaction = %v, want %v", err, result)
		}
		if result != nil {
			p.seen = before
		}
	case k < 15 && depth == 0:
		p.must(p.room.Sync(p.t.Context()))
	}
	p.compare()
}

// FuzzStorageInTurns reads what a room has stored together with what its running turn has written and not committed,
// in every way there is, and compares that with a model; so it does after transactions and callbacks that are undone.
func FuzzStorageInTurns(f *testing.F) {
	for seed := range uint64(12) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		def := Define[bareRoom]("bare")
		h, err := NewHost(&App{Rooms: []Definition{def}}, HostOptions{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		seat := new(modelSeat)
		i := h.Wake(link.Wake{Room: storage.Room{Party: "bare", Name: "a"}, Seat: seat}).(*instance)
		p := &turnPlayer{t: t, rng: rand.New(rand.NewPCG(seed, 1)), room: Storage{i}}
		for range 12 {
			panics := p.rng.IntN(4) == 0
			var committed storagetest.Model
			err := i.do("test", func() {
				for range p.rng.IntN(30) {
					p.act(0)
				}
				if panics {
					committed = seat.stored.Clone()
					panic(errUndo)
				}
			}, nil)
			if panics {
				p.seen = committed // what was written since the last commit is undone
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := sameModels(&seat.stored, &p.seen); diff != "" {
				t.Fatalf("after a turn (panics: %v): %s", panics, diff)
			}
		}
	})
}

// sameModels says how two models differ.
func sameModels(got, want *storagetest.Model) string {
	a, b := got.List(storage.Range{}), want.List(storage.Range{})
	if slices.EqualFunc(a, b, func(x, y storage.Entry) bool { return x.Key == y.Key && bytes.Equal(x.Value, y.Value) }) {
		return ""
	}
	return fmt.Sprintf("%q is stored, want %q", a, b)
}
