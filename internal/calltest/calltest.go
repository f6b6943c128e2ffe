// Package calltest has a room whose methods take and return values of every kind that a call can carry. Its tests call them
// in one process and over a stream, and want the same. It is not for use.
package calltest

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/goparty-dev/party/internal/calltest/other"
	party "github.com/goparty-dev/party/runtime"
)

// Echo returns what it is given.
//
//party:room
type Echo struct {
	party.Room
}

// Received, if set, is shown what each method is given and returns.
var Received func(ctx context.Context, v any)

func echo[T any](ctx context.Context, v T) (T, error) {
	if Received != nil {
		Received(ctx, &v)
	}
	return v, nil
}

// Types of the methods below.
type (
	Word  string
	Level int
	Ratio float32
	Flags [3]bool

	Plain struct {
		A int
		B [2]uint8
		C bool
	}
	Tagged struct {
		Text    string `json:"text"`
		Skipped []int  `json:"-"`
		//lint:ignore SA5008 it is a field called "-", as encoding/json says
		Dash   string            `json:"-,"`
		Empty  []string          `json:"empty,omitempty"`
		None   map[string]int    `json:",omitempty"`
		Zero   time.Time         `json:"zero,omitzero"`
		Number int64             `json:"number,string"`
		Quoted string            `json:"quoted,string"`
		Maybe  *Plain            `json:"maybe,omitempty"`
		Float  float64           `json:"float,omitempty"`
		Ratio  Ratio             `json:"ratio,omitzero"`
		Words  map[Word][]string `json:"words"`
		//lint:ignore U1000 nobody's business
		hidden []int
		_      int
	}
	Base struct {
		ID    string
		Names []string
	}
	lower    struct{ Low map[string]string }
	Embedded struct {
		Base
		lower
		Own []Level
	}
	Shadowed struct {
		Base
		ID []byte
	}
	ByPointer struct {
		*Base
		Own int
	}
	Marked  struct{ Lat, Lon float64 }
	Pointed struct{ N int }
	Tree    struct {
		Name     string
		Children []Tree
	}
	List struct {
		Value int
		Next  *List
	}
	Times struct {
		At    time.Time
		For   time.Duration
		Month time.Month
		Later *time.Time
		Gone  *time.Time `json:",omitzero"`
		All   []time.Time
	}
	Holder struct {
		M Marked
		P *Pointed
		V Pointed
		R json.RawMessage
		N json.Number
		A any
	}
	Gauge   struct{ N int }
	Measure struct {
		G Gauge `json:"g,omitzero"`
		N []int
	}
	Refs struct {
		S *[]int
		P **int
		M map[string]*map[int]int
		I *int
	}
)

// MarshalJSON is by value.
func (m Marked) MarshalJSON() ([]byte, error) { return json.Marshal([2]float64{m.Lat, m.Lon}) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Marked) UnmarshalJSON(data []byte) error {
	var v [2]float64
	err := json.Unmarshal(data, &v)
	m.Lat, m.Lon = v[0], v[1]
	return err
}

// MarshalText is by pointer: where encoding/json cannot take an address, it does not count.
func (p *Pointed) MarshalText() ([]byte, error) { return json.Marshal(p.N + 1) }

// UnmarshalText reads what MarshalText writes.
func (p *Pointed) UnmarshalText(data []byte) error { return json.Unmarshal(data, &p.N) }

// IsZero is for omitzero.
func (g Gauge) IsZero() bool { return g.N < 0 }

//party:rpc
func (e *Echo) Nothing(ctx context.Context) error { return nil }

//party:rpc public
func (e *Echo) Basic(ctx context.Context, a bool, b int8, c uint64, f float64, s string, w Word, l Level, r Ratio) (bool, int8, uint64, float64, string, Word, Level, Ratio, error) {
	if Received != nil {
		Received(ctx, &s)
	}
	return a, b, c, f, s, w, l, r, nil
}

//party:rpc
func (e *Echo) Fixed(ctx context.Context, v Flags, p Plain, q [2]string) (Flags, Plain, [2]string, error) {
	return v, p, q, nil
}

//party:rpc
func (e *Echo) Bytes(ctx context.Context, v []byte) ([]byte, error) { return echo(ctx, v) }

//party:rpc
func (e *Echo) Slices(ctx context.Context, v [][]string) ([][]string, error) { return echo(ctx, v) }

//party:rpc
func (e *Echo) Maps(ctx context.Context, v map[string]map[int][]Word) (map[string]map[int][]Word, error) {
	return echo(ctx, v)
}

//party:rpc
func (e *Echo) Pointers(ctx context.Context, v *Plain, w map[Level]*string, x *[2]string) (*Plain, map[Level]*string, *[2]string, error) {
	return v, w, x, nil
}

//party:rpc
func (e *Echo) Tagged(ctx context.Context, v Tagged) (Tagged, error) { return echo(ctx, v) }

//party:rpc
func (e *Echo) Embedded(ctx context.Context, v Embedded, w Shadowed, x ByPointer) (Embedded, Shadowed, ByPointer, error) {
	return v, w, x, nil
}

//party:rpc
func (e *Echo) Anonymous(ctx context.Context, v struct {
	A []string
	B *struct{ C map[string]bool }
}) (struct {
	A []string
	B *struct{ C map[string]bool }
}, error) {
	return echo(ctx, v)
}

//party:rpc
func (e *Echo) Recursive(ctx context.Context, v Tree, w *List) (Tree, *List, error) { return v, w, nil }

//party:rpc
func (e *Echo) Times(ctx context.Context, v Times, at time.Time) (Times, time.Time, error) {
	return v, at, nil
}

//party:rpc
func (e *Echo) Marshalers(ctx context.Context, v Holder, m []Marked, p map[string]Pointed, w Pointed) (Holder, []Marked, map[string]Pointed, Pointed, error) {
	return v, m, p, w, nil
}

//party:rpc
func (e *Echo) Zeroes(ctx context.Context, v Measure) (Measure, error) { return echo(ctx, v) }

//party:rpc
func (e *Echo) Refs(ctx context.Context, v Refs) (Refs, error) { return echo(ctx, v) }

//party:rpc
func (e *Echo) Others(ctx context.Context, v other.Open, w other.Closed, x other.Half, p other.Page[other.Inner], q other.Page[string], u *url.URL) (other.Open, other.Closed, other.Half, other.Page[other.Inner], other.Page[string], *url.URL, error) {
	return v, w, x, p, q, u, nil
}

//party:rpc
func (e *Echo) Any(ctx context.Context, v any, w map[string]any) (any, map[string]any, error) {
	return v, w, nil
}
