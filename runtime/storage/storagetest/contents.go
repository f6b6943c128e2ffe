package storagetest

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/goparty-dev/party/runtime/storage"
)

func testValues(t *testing.T, s *store) {
	want := map[string]string{
		"":                                       "the empty key",
		"empty":                                  "",
		"nul\x00key":                             "nul\x00value",
		"nul\x00":                                "a key may end with it",
		"schlüssel/鍵/🔑":                          "wert 値 💎",
		"not \xff\xfe UTF-8":                     "\x80\x00\xff",
		strings.Repeat("k", storage.MaxKeyBytes): strings.Repeat("v", storage.MaxValueBytes),
	}
	claim := s.claim(lobby)
	c := storage.Commit{Room: lobby, Fence: claim.Fence}
	for k, v := range want {
		c.Ops = append(c.Ops, put(k, v))
	}
	c.Ops = append(c.Ops, storage.Op{Key: "nil", Value: nil})
	want["nil"] = ""
	s.Commit(c, func(error) {})
	s.holds(lobby, want)
	s.sync(lobby)
	s.holds(lobby, want)

	got := s.get(lobby, "empty", "missing", "empty")
	if diff := cmp.Diff(got, map[string]string{"empty": ""}); diff != "" {
		t.Errorf("Get of an empty value and a missing one differs (-got +want):\n%s", diff)
	}
	if got := s.get(lobby); len(got) != 0 {
		t.Errorf("Get of no keys = %v", got)
	}
}

func testOps(t *testing.T, s *store) {
	fence := s.claim(lobby).Fence
	for _, step := range []struct {
		name   string
		commit storage.Commit
		want   map[string]string
	}{
		{"put", storage.Commit{Ops: []storage.Op{put("a", "1"), put("b", "1")}}, map[string]string{"a": "1", "b": "1"}},
		{"the later put wins", storage.Commit{Ops: []storage.Op{put("a", "2"), put("a", "3")}}, map[string]string{"a": "3", "b": "1"}},
		{"put, then delete", storage.Commit{Ops: []storage.Op{put("a", "4"), del("a")}}, map[string]string{"b": "1"}},
		{"delete, then put", storage.Commit{Ops: []storage.Op{del("b"), put("b", "5")}}, map[string]string{"b": "5"}},
		{"delete what is not there", storage.Commit{Ops: []storage.Op{del("zzz")}}, map[string]string{"b": "5"}},
		{"delete ignores the value", storage.Commit{Ops: []storage.Op{{Key: "b", Value: []byte("x"), Delete: true}}}, nil},
		{"clear nothing", storage.Commit{Clear: true}, nil},
		{"clear, then put", storage.Commit{Clear: true, Ops: []storage.Op{put("c", "6"), put("d", "6")}}, map[string]string{"c": "6", "d": "6"}},
		{"clear comes first", storage.Commit{Clear: true, Ops: []storage.Op{put("d", "7"), del("c")}}, map[string]string{"d": "7"}},
		{"nothing", storage.Commit{}, map[string]string{"d": "7"}},
		{"clear", storage.Commit{Clear: true}, nil},
	} {
		step.commit.Room, step.commit.Fence = lobby, fence
		done := s.begin(step.commit)
		s.holds(lobby, step.want) // at once
		if err := s.outcome(done); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		s.holds(lobby, step.want) // and when it is durable
	}
}

func testRoomsAreApart(t *testing.T, s *store) {
	rooms := []storage.Room{
		{Party: "a", Name: "b/c"}, {Party: "a/b", Name: "c"}, {Party: "a", Name: "B/C"}, {Party: "a", Name: "b/c\x00"},
		{Party: "ä", Name: "b/c"}, {Party: "", Name: "a"}, {Party: "a", Name: "b/c "},
	}
	for _, r := range rooms {
		s.commit(storage.Commit{Room: r, Fence: s.claim(r).Fence, Ops: []storage.Op{put("room", r.String()), put("x", "x")}})
	}
	cleared := rooms[0]
	s.commit(storage.Commit{Room: cleared, Fence: s.claim(cleared).Fence, Clear: true})
	s.holds(cleared, nil)
	for _, r := range rooms[1:] {
		s.holds(r, map[string]string{"room": r.String(), "x": "x"})
	}
}

func testLists(t *testing.T, s *store) {
	var m Model
	c := storage.Commit{Room: lobby, Fence: s.claim(lobby).Fence}
	for _, k := range []string{"a", "a\x00", "a/1", "a/10", "a/2", "a\xff", "b", "b/1", "é", "\xff", "\xff\xff"} {
		c.Ops = append(c.Ops, put(k, "value of "+k))
	}
	m.Apply(c)
	s.commit(c)
	bounds := []string{"", "a", "a/", "a/1", "a/10\x00", "b", "zz", "é", "\xff"}
	for _, prefix := range bounds {
		for _, first := range bounds {
			for _, end := range bounds {
				for bits := range 12 {
					r := storage.Range{Prefix: prefix, End: end, Reverse: bits&1 != 0, Limit: []int{0, 1, 3}[bits>>2]}
					if bits&2 != 0 {
						r.Start = first
					} else {
						r.After = first
					}
					s.compare(r, &m)
				}
			}
		}
	}
}

// compare compares a list of the lobby with the model's.
func (s *store) compare(r storage.Range, m *Model) {
	s.t.Helper()
	got := s.list(lobby, r)
	if diff := cmp.Diff(got, m.List(r), cmpopts.EquateEmpty()); diff != "" {
		s.t.Fatalf("List(%+v) differs (-got +want):\n%s", r, diff)
	}
}

func testRandomLists(t *testing.T, s *store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var m Model
	fence := s.claim(lobby).Fence
	for range 400 {
		c := RandomCommit(rng)
		m.Apply(c)
		c.Room, c.Fence = lobby, fence
		s.Commit(c, func(err error) {
			if err != nil {
				t.Errorf("Commit(%+v): %v", c, err)
			}
		})
		for range 5 {
			s.compare(RandomRange(rng), &m)
		}
		key := RandomKey(rng)
		values, err := s.Get(context.Background(), lobby, []string{key})
		if err != nil {
			t.Fatalf("Get(%q) = %v", key, err)
		}
		got, exists := values[key]
		if want, ok := m.Value(key); string(got) != want || exists != ok {
			t.Fatalf("Get(%q) = %q, %v, want %q, %v", key, got, exists, want, ok)
		}
		if rng.IntN(8) == 0 {
			s.sync(lobby)
		}
	}
	s.sync(lobby)
	s.compare(storage.Range{}, &m)
}

// testHistories makes histories and compares all there is at their end.
func testHistories(t *testing.T, s *store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h := NewHistory(rand.New(rand.NewPCG(seed, 0)), s)
	if err := h.Run(1500); err != nil {
		t.Fatal(err)
	}
	if err := h.Check(s, 0); err != nil {
		t.Fatal(err)
	}
}
