package shrink

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
)

func TestMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var m Map[int, int]
	want := make(map[int]int)
	for wave := range 6 {
		for range 20_000 {
			// Waves grow and ebb.
			k := rng.IntN(10_000)
			if rng.IntN(10) < 8 == (wave%2 == 0) {
				m.Set(k, wave)
				want[k] = wave
			} else {
				m.Delete(k)
				delete(want, k)
			}
			if got := m.Get(k); got != want[k] || m.Len() != len(want) {
				t.Fatalf("Get(%d) = %d of %d, want %d of %d", k, got, m.Len(), want[k], len(want))
			}
		}
		if got := maps.Collect(m.All()); !maps.Equal(got, want) {
			t.Fatalf("wave %d: %d entries, want %d, or others", wave, len(got), len(want))
		}
		for range m.All() {
			break
		}
	}
}

// TestMapGivesBack fills a map and empties it, and looks at what it still holds.
func TestMapGivesBack(t *testing.T) {
	const entries = 100_000
	var m Map[[4]int, [4]int]
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	for n := range entries {
		m.Set([4]int{n}, [4]int{})
	}
	full := heap() - before
	for n := range entries {
		m.Delete([4]int{n})
	}
	left := int64(heap()) - int64(before)
	if full < entries*64 || left > int64(full)/20 {
		t.Errorf("a full map takes %d bytes, and %d when it is empty again", full, left)
	}
	runtime.KeepAlive(&m)
}

func BenchmarkMap(b *testing.B) {
	var m Map[int, int]
	n := 0
	for b.Loop() {
		m.Set(n, n)
		m.Delete(n - 5000)
		n++
	}
}
