package party

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// FuzzWriteSet plays writes, transactions and hand-overs, and compares what the
// room sees, and what is handed over, with a map.
func FuzzWriteSet(f *testing.F) {
	f.Add([]byte("pqrstuvwxyz"))
	f.Add([]byte{0, 1, 2, 200, 3, 4, 201, 5, 202, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 203, 1})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var w writeSet
		stored, seen := map[string]string{}, map[string]string{}
		type saved struct {
			mark writeMark
			seen map[string]string
		}
		var marks []saved
		for n, s := range steps {
			key := string('a' + s%7)
			switch {
			case s < 120:
				w.add(storage.Op{Key: key, Value: []byte{byte(n)}})
				seen[key] = string([]byte{byte(n)})
			case s < 200:
				w.add(storage.Op{Key: key, Delete: true})
				delete(seen, key)
			case s < 210:
				w.clear()
				clear(seen)
			case s < 225:
				marks = append(marks, saved{w.mark(), maps.Clone(seen)})
			case s < 240 && len(marks) > 0:
				last := marks[len(marks)-1]
				marks = marks[:len(marks)-1]
				w.rollback(last.mark)
				seen = maps.Clone(last.seen)
			default:
				b := new(link.Batch)
				w.moveTo(b)
				if b.Clear {
					clear(stored)
				}
				for _, op := range b.Ops {
					if op.Delete {
						delete(stored, op.Key)
					} else {
						stored[op.Key] = string(op.Value)
					}
				}
				if diff := cmp.Diff(stored, seen); diff != "" {
					t.Fatalf("step %d: handed over (-) and seen (+): %s", n, diff)
				}
				marks = nil // a mark of an earlier part drops the whole part
			}
			for k := 'a'; k < 'a'+7; k++ {
				value, exists, written := w.lookup(string(k))
				if !written {
					v, ok := stored[string(k)]
					value, exists = []byte(v), ok
				}
				if want, ok := seen[string(k)]; exists != ok || ok && string(value) != want {
					t.Fatalf("step %d: lookup(%c): got %q, %v, want %q, %v", n, k, value, exists, want, ok)
				}
			}
		}
	})
}
