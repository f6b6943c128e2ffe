package storagetest

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/goparty-dev/party/runtime/storage"
)

// Model is what one room holds, kept in the simplest way there is, to compare engines
// with. The zero Model is an empty room. It is not safe for concurrent use.
type Model struct {
	values map[string]string
}

// Apply applies a commit.
func (m *Model) Apply(c storage.Commit) {
	if c.Clear || m.values == nil {
		m.values = make(map[string]string)
	}
	for _, op := range c.Ops {
		if op.Delete {
			delete(m.values, op.Key)
		} else {
			m.values[op.Key] = string(op.Value)
		}
	}
}

// Clone returns a model of the same contents.
func (m *Model) Clone() Model { return Model{values: maps.Clone(m.values)} }

// Value returns the value of a key.
func (m *Model) Value(key string) (string, bool) {
	v, ok := m.values[key]
	return v, ok
}

// List returns the entries in a range.
func (m *Model) List(r storage.Range) []storage.Entry {
	var entries []storage.Entry
	for k, v := range m.values {
		if strings.HasPrefix(k, r.Prefix) && k >= r.Start && (r.After == "" || k > r.After) && (r.End == "" || k < r.End) {
			entries = append(entries, storage.Entry{Key: k, Value: []byte(v)})
		}
	}
	slices.SortFunc(entries, func(a, b storage.Entry) int { return strings.Compare(a.Key, b.Key) })
	if r.Reverse {
		slices.Reverse(entries)
	}
	if r.Limit > 0 && len(entries) > r.Limit {
		entries = entries[:r.Limit]
	}
	return entries
}

// letters are what random keys are made of: few, for keys to meet, and such as are
// easily ordered wrongly.
var letters = []string{"\x00", "a", "A", "é", "日", "\U0001F600", "\xff", "/"}

// RandomKey returns a key of up to three letters, the empty key among them.
func RandomKey(rng *rand.Rand) string {
	var key strings.Builder
	for range rng.IntN(4) {
		key.WriteString(letters[rng.IntN(len(letters))])
	}
	return key.String()
}

// RandomRange returns a range of any kind.
func RandomRange(rng *rand.Rand) storage.Range {
	var r storage.Range
	if rng.IntN(2) == 0 {
		r.Prefix = RandomKey(rng)
	}
	switch rng.IntN(3) {
	case 0:
		r.Start = RandomKey(rng)
	case 1:
		r.After = RandomKey(rng)
	}
	if rng.IntN(2) == 0 {
		r.End = RandomKey(rng)
	}
	r.Reverse = rng.IntN(2) == 0
	if rng.IntN(2) == 0 {
		r.Limit = 1 + rng.IntN(6)
	}
	return r
}

// RandomCommit returns a commit of any kind, without room, fence and alarm.
func RandomCommit(rng *rand.Rand) storage.Commit {
	c := storage.Commit{Clear: rng.IntN(12) == 0}
	for range rng.IntN(6) {
		op := storage.Op{Key: RandomKey(rng), Delete: rng.IntN(3) == 0}
		if !op.Delete {
			op.Value = []byte(RandomKey(rng))
		}
		c.Ops = append(c.Ops, op)
	}
	return c
}
