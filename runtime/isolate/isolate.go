// Package isolate copies the arguments and results of calls between rooms of one process. Generated code puts its
// functions together for each type; room code has no use for it.
//
// A copy is what encoding/json would make of the value if it wrote and read it, so that a call
// does the same in one process and between two. What JSON would change, as strings that are no UTF-8, or would refuse, as NaN, a
// function here reports with false; then JSON itself is asked. The package does not
// know structs and arrays, which generated code takes apart, nor types with methods for JSON.
//
// All functions are safe for concurrent use as long as nobody changes the value meanwhile.
package isolate

import (
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"
)

// String copies a string, or a key of a map that is one.
func String[S ~string](s S) (S, bool) { return s, utf8.ValidString(string(s)) }

// Float copies a floating-point number.
func Float[F ~float32 | ~float64](f F) (F, bool) {
	return f, !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0)
}

// Plain copies what consists of booleans and integers only.
func Plain[T any](v T) (T, bool) { return v, true }

// Time copies a time. It loses its monotonic clock and the name of its zone.
func Time(t time.Time) (time.Time, bool) {
	var buf [len(time.RFC3339Nano)]byte
	data, err := t.AppendText(buf[:0])
	if err != nil {
		return time.Time{}, false
	}
	var out time.Time
	return out, out.UnmarshalText(data) == nil
}

// Pointer copies what p points to.
func Pointer[T any](p *T, copy func(T) (T, bool)) (*T, bool) {
	if p == nil {
		return nil, true
	}
	v, ok := copy(*p)
	return &v, ok
}

// PlainSlice copies a slice of what Plain takes.
func PlainSlice[S ~[]E, E any](s S) (S, bool) {
	if s == nil {
		return nil, true
	}
	return append(make(S, 0, len(s)), s...), true
}

// Slice copies a slice with its elements.
func Slice[S ~[]E, E any](s S, copy func(E) (E, bool)) (S, bool) {
	if s == nil {
		return nil, true
	}
	out := make(S, len(s))
	for n := range s {
		var ok bool
		if out[n], ok = copy(s[n]); !ok {
			return nil, false
		}
	}
	return out, true
}

// Map copies a map with its keys and elements.
func Map[M ~map[K]V, K comparable, V any](m M, key func(K) (K, bool), copy func(V) (V, bool)) (M, bool) {
	if m == nil {
		return nil, true
	}
	out := make(M, len(m))
	for k, v := range m {
		if _, ok := key(k); !ok {
			return nil, false
		}
		own, ok := copy(v)
		if !ok {
			return nil, false
		}
		out[k] = own
	}
	return out, true
}

// JSON copies *from into *into, a zero value, by encoding it: what the other functions do not know.
func JSON[T any](from, into *T) bool {
	data, err := json.Marshal(from)
	return err == nil && json.Unmarshal(data, into) == nil
}
