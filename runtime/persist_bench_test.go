package party

import (
	"strconv"
	"testing"
)

// BenchmarkUnchangedFields is what persisted fields add to a turn that changes none.
func BenchmarkUnchangedFields(b *testing.B) {
	var v struct {
		title, owner string
		round        int
		open         bool
		log          []string
		scores       map[string]int
		tree         map[string][]string
	}
	v.title, v.owner, v.scores, v.tree = "a title", "ada", make(map[string]int), make(map[string][]string)
	for n := range 100 {
		s := strconv.Itoa(n)
		v.log, v.scores[s], v.tree[s] = append(v.log, s), n, []string{s}
	}
	for _, c := range []struct {
		name   string
		fields []Persisted
	}{
		{"none", nil},
		{"4values", []Persisted{PersistValue("a", &v.title), PersistValue("b", &v.owner), PersistValue("c", &v.round), PersistValue("d", &v.open)}},
		{"slice100", []Persisted{PersistSlice("a", &v.log)}},
		{"map100", []Persisted{PersistMap("a", &v.scores)}},
		{"json100", []Persisted{PersistJSON("a", &v.tree)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			i := &instance{fields: c.fields}
			for _, f := range c.fields {
				if err := f.load(nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := i.saveFields(); err != nil || len(i.writes.log) > 0 {
					b.Fatalf("%v, %d writes", err, len(i.writes.log))
				}
			}
		})
	}
}
