package sqlite_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

// BenchmarkPuts measures durable puts: each room writes again when its last
// write is on disk. The two kinds differ a lot. New keys are the figure to compare:
// every room dirties a page of its own. When each room rewrites one small value, all
// rooms together have a few pages, which a group writes once.
func BenchmarkPuts(b *testing.B) {
	for _, keys := range []string{"new", "same"} {
		for _, rooms := range []int{1, 32, 256} {
			b.Run(fmt.Sprintf("keys=%s/rooms=%d", keys, rooms), func(b *testing.B) { benchmarkPuts(b, rooms, keys == "same") })
		}
	}
}

func benchmarkPuts(b *testing.B, rooms int, same bool) {
	s := open(b, b.TempDir())
	b.ReportAllocs()
	b.ResetTimer()
	var writers sync.WaitGroup
	for r := range rooms {
		writers.Go(func() {
			room := storage.Room{Party: "bench", Name: strconv.Itoa(r)}
			fence := claim(b, s, room)
			done := make(chan error, 1)
			key := "state"
			for n := r; n < b.N; n += rooms {
				if !same {
					key = fmt.Sprintf("message/%09d", n)
				}
				// SQLite does not write a value that is there already.
				value := fmt.Appendf(nil, `{"n":%d,"text":"some text of an ordinary length, as in a chat"}`, n)
				s.Commit(storage.Commit{Room: room, Fence: fence, Ops: []storage.Op{{Key: key, Value: value}}}, func(err error) { done <- err })
				if err := <-done; err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
}

// BenchmarkAppends measures one room that does not wait: every commit adds a key.
func BenchmarkAppends(b *testing.B) {
	s := open(b, b.TempDir())
	fence := claim(b, s, lobby)
	var pending sync.WaitGroup
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		pending.Add(1)
		s.Commit(storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{{Key: fmt.Sprintf("message/%09d", n), Value: []byte("hello")}}},
			func(error) { pending.Done() })
		if n%1000 == 999 {
			pending.Wait()
		}
	}
	pending.Wait()
}

// full returns a store with a thousand keys in each of some rooms.
func full(b *testing.B) (*benchStore, context.Context) {
	s := &benchStore{open(b, b.TempDir())}
	for r := range 20 {
		room := storage.Room{Party: "bench", Name: strconv.Itoa(r)}
		c := storage.Commit{Room: room, Fence: claim(b, s, room)}
		for n := range 1000 {
			c.Ops = append(c.Ops, put(fmt.Sprintf("message/%09d", n), "some text of an ordinary length, as in a chat"))
		}
		commit(b, s, c)
		s.Release(room, c.Fence)
	}
	return s, context.Background()
}

type benchStore struct{ storage.Store }

func benchRoom(n int) storage.Room { return storage.Room{Party: "bench", Name: strconv.Itoa(n % 20)} }

func BenchmarkGet(b *testing.B) {
	s, ctx := full(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if got, err := s.Get(ctx, benchRoom(n), []string{fmt.Sprintf("message/%09d", n%1000)}); err != nil || len(got) != 1 {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkListLast100(b *testing.B) {
	s, ctx := full(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		r := storage.Range{Prefix: "message/", Reverse: true, Limit: 100}
		if got, err := s.List(ctx, benchRoom(n), r); err != nil || len(got) != 100 {
			b.Fatal(len(got), err)
		}
	}
}

func BenchmarkClaim(b *testing.B) {
	for name, party := range map[string]string{"fresh": "no such party", "stored": "bench"} {
		b.Run(name, func(b *testing.B) {
			s, ctx := full(b)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				room := storage.Room{Party: party, Name: strconv.Itoa(n % 20)}
				c, err := s.Claim(ctx, room)
				if err != nil {
					b.Fatal(err)
				}
				s.Release(room, c.Fence)
			}
		})
	}
}
