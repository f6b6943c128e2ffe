// Package shrink has a map that gives memory back: one of Go keeps what it has once grown
// to, which for what is kept of a million rooms at noon is still there at night.
//
// It is not for small maps, nor for those whose size hardly changes.
package shrink

import "iter"

// worthIt is the number of entries below which a map is not made smaller.
const worthIt = 1 << 6

// Map is a map that is rebuilt when most of it is empty; that costs a deletion a few copies,
// on the average. The zero Map is empty and ready to use. It is not safe for concurrent use.
type Map[K comparable, V any] struct {
	m    map[K]V
	peak int // the most that m has held
}

// Get returns the value of a key, the zero value if there is none.
func (m *Map[K, V]) Get(key K) V { return m.m[key] }

// Set sets the value of a key.
func (m *Map[K, V]) Set(key K, value V) {
	if m.m == nil {
		m.m = make(map[K]V)
	}
	m.m[key] = value
	m.peak = max(m.peak, len(m.m))
}

// Delete removes a key, if it is there.
func (m *Map[K, V]) Delete(key K) {
	delete(m.m, key)
	if n := len(m.m); m.peak >= worthIt && n <= m.peak/4 {
		smaller := make(map[K]V, n)
		for k, v := range m.m {
			smaller[k] = v
		}
		m.m, m.peak = smaller, n
	}
}

// Len is the number of keys.
func (m *Map[K, V]) Len() int { return len(m.m) }

// All ranges over the map, in no order. Keys may be set and deleted meanwhile; whether those that are
// set are still met is not defined, and one that is deleted may be met all the same.
func (m *Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k, v := range m.m {
			if !yield(k, v) {
				return
			}
		}
	}
}
