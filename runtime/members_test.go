package party

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/goparty-dev/party/internal/link"
)

// TestMembers lists and unlists connections at random and compares with a plain list.
func TestMembers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	i := &instance{}
	var want []*Conn // oldest first
	for n := range 2000 {
		switch k := rnd.IntN(5); {
		case k < 3 && len(want) < 30:
			c := &Conn{i: i, session: link.SessionID(n + 1), id: fmt.Sprint(rnd.IntN(6))}
			c.tags = []string{c.id, fmt.Sprint("t", rnd.IntN(3))}
			i.join(c)
			want = append(want, c)
		case len(want) > 0:
			at := rnd.IntN(len(want))
			c := want[at]
			if k == 3 {
				i.unlist(c)
				i.unlist(c) // twice is once
			}
			i.forget(c.session)
			want = slices.Delete(want, at, at+1)
		default:
			// Refused before it was listed: nobody else is affected.
			i.unlist(&Conn{i: i, session: link.SessionID(n + 1), id: fmt.Sprint(rnd.IntN(6))})
		}
		if rnd.IntN(3) == 0 && len(want) > 0 {
			// One that is closed while somebody iterates is not yielded any more; who comes is not yet.
			seen := 0
			before := len(want)
			for c := range i.each(nil) {
				if seen == 0 {
					other := want[rnd.IntN(len(want))]
					i.forget(other.session)
					at := slices.Index(want, other)
					want = slices.Delete(want, at, at+1)
					late := &Conn{i: i, session: link.SessionID(1_000_000 + n), id: "late"}
					i.join(late)
					want = append(want, late)
				} else if !slices.Contains(want, c) || c.id == "late" && c.session == link.SessionID(1_000_000+n) {
					t.Fatalf("step %d: yielded connection %d, which is not open or came later", n, c.session)
				}
				seen++
			}
			if seen < before-1 || seen > before {
				t.Fatalf("step %d: iterated over %d of %d", n, seen, before)
			}
		}
		checkMembers(t, i, want)
	}
}

func checkMembers(t *testing.T, i *instance, want []*Conn) {
	t.Helper()
	got := slices.Collect(i.each(nil))
	if len(got) != len(want) || len(i.sessions) != len(want) {
		t.Fatalf("got %d listed, %d sessions, want %d", len(got), len(i.sessions), len(want))
	}
	newest := map[string]*Conn{}
	tagged := 0
	for _, c := range want {
		if !slices.Contains(got, c) {
			t.Fatalf("connection %d is not listed", c.session)
		}
		newest[c.id] = c
		if slices.Contains(c.tags, "t1") {
			tagged++
		}
	}
	for id := range 6 {
		id := fmt.Sprint(id)
		if c, _ := (&Room{i: i}).Connection(id); c != newest[id] {
			t.Fatalf("Connection(%q): got %v, want %v", id, c, newest[id])
		}
	}
	if got := len(slices.Collect(i.each([]string{"t1"}))); got != tagged {
		t.Fatalf("with a tag: got %d, want %d", got, tagged)
	}
}
