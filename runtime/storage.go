package party

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goparty-dev/party/runtime/storage"
)

// Storage is a room's durable key-value store. Use it in turns only; a call
// outside one, or with the context of an await, returns ErrOutsideTurn.
//
// Values are stored as JSON, except []byte, which is stored as it is. Keys
// are 1 to 2048 bytes and do not begin with the byte 0x00, encoded values at most 2 MiB. Keys are ordered by their bytes.
//
// Writes take effect at once for the room and become durable together, as one
// commit, when the turn ends or awaits. Nothing that the turn sends leaves before that.
type Storage struct{ i *instance }

// Get decodes the value of key into v, a pointer; for a *[]byte it is copied as it is.
// It reports whether the key exists, and leaves v alone if not.
func (s Storage) Get(ctx context.Context, key string, v any) (bool, error) {
	data, ok, err := s.raw(ctx, key)
	if err != nil || !ok {
		return false, err
	}
	if err := decodeValue(data, v); err != nil {
		return false, fmt.Errorf("decode value of %q: %w", key, err)
	}
	return true, nil
}

// Get returns the value of key as a T, and whether the key exists.
func Get[T any](ctx context.Context, s Storage, key string) (T, bool, error) {
	var v T
	ok, err := s.Get(ctx, key, &v)
	return v, ok, err
}

func (s Storage) raw(ctx context.Context, key string) ([]byte, bool, error) {
	if err := s.check(ctx, key); err != nil {
		return nil, false, err
	}
	return s.load(ctx, key)
}

func (s Storage) load(ctx context.Context, key string) ([]byte, bool, error) {
	if v, exists, written := s.i.writes.lookup(key); written {
		return v, exists, nil
	}
	m, err := s.i.seat.Get(ctx, []string{key})
	if err != nil {
		return nil, false, fmt.Errorf("get %q: %w", key, err)
	}
	v, ok := m[key]
	return v, ok, nil
}

// PutOption changes how a value is stored.
type PutOption func(*putOptions)

type putOptions struct{ unconfirmed bool }

// Unconfirmed lets what the turn sends leave without waiting for this write, if all
// its writes are unconfirmed: a power cut may then undo what a client
// has seen. For what is cheap to lose, such as a cursor's last place. Order and atomicity are as ever.
func Unconfirmed() PutOption { return func(o *putOptions) { o.unconfirmed = true } }

// Put stores v under key.
func (s Storage) Put(ctx context.Context, key string, v any, opts ...PutOption) error {
	if err := s.check(ctx, key); err != nil {
		return err
	}
	data, err := encodeValue(v)
	if err != nil {
		return fmt.Errorf("put %q: %w", key, err)
	}
	var o putOptions
	for _, opt := range opts {
		opt(&o)
	}
	s.i.writes.firm = s.i.writes.firm || !o.unconfirmed
	s.i.writes.add(storage.Op{Key: key, Value: data})
	return nil
}

// PutAll stores several values. It is Put for each of them: all writes of a turn are one commit anyway.
func (s Storage) PutAll(ctx context.Context, values map[string]any, opts ...PutOption) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := s.Put(ctx, key, values[key], opts...); err != nil {
			return err
		}
	}
	return nil
}

// GetAll loads several keys at once and returns those that exist, in the order of
// their bytes.
func (s Storage) GetAll(ctx context.Context, keys ...string) ([]Entry, error) {
	var load []string
	found := make(map[string][]byte)
	for _, k := range keys {
		if err := s.check(ctx, k); err != nil {
			return nil, err
		}
		if v, exists, written := s.i.writes.lookup(k); !written {
			load = append(load, k)
		} else if exists {
			found[k] = v
		}
	}
	if len(load) > 0 {
		m, err := s.i.seat.Get(ctx, load)
		if err != nil {
			return nil, fmt.Errorf("get %d keys: %w", len(load), err)
		}
		maps.Copy(found, m)
	}
	out := make([]Entry, 0, len(found))
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, Entry{Key: k, value: found[k]})
	}
	return out, nil
}

// Delete removes keys and returns how many of them existed.
func (s Storage) Delete(ctx context.Context, keys ...string) (int, error) {
	if len(keys) > 1 { // a key that is named twice exists once
		keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	}
	var load []string
	n := 0
	for _, k := range keys {
		if err := s.check(ctx, k); err != nil {
			return 0, err
		}
		if _, exists, written := s.i.writes.lookup(k); !written {
			load = append(load, k)
		} else if exists {
			n++
		}
	}
	if len(load) > 0 {
		m, err := s.i.seat.Get(ctx, load)
		if err != nil {
			return 0, fmt.Errorf("delete: %w", err)
		}
		n += len(m)
	}
	for _, k := range keys {
		s.i.writes.firm = true
		s.i.writes.add(storage.Op{Key: k, Delete: true})
	}
	return n, nil
}

// DeleteAll removes every key. The alarm and persisted fields stay.
func (s Storage) DeleteAll(ctx context.Context) error {
	if err := s.inTurn(ctx); err != nil {
		return err
	}
	keep, err := s.i.hiddenEntries(ctx)
	if err != nil {
		return fmt.Errorf("delete all: %w", err)
	}
	s.i.writes.firm = true
	s.i.writes.clear()
	for _, e := range keep {
		s.i.writes.add(storage.Op{Key: e.Key, Value: e.value})
	}
	return nil
}

// ListOptions select entries. The zero value lists all of them in ascending order.
type ListOptions struct {
	Prefix     string // only keys with this prefix
	Start      string // from this key on, inclusive
	StartAfter string // from this key on, exclusive; not together with Start
	End        string // up to this key, exclusive
	// Reverse lists from the greatest key down; the bounds keep their meaning.
	Reverse bool
	Limit   int // at most so many; 0 for all
}

// Entry is one listed key with its value.
type Entry struct {
	Key   string
	value []byte
}

// Decode decodes the value into v as Get does.
func (e Entry) Decode(v any) error {
	if err := decodeValue(e.value, v); err != nil {
		return fmt.Errorf("decode value of %q: %w", e.Key, err)
	}
	return nil
}

// List returns the selected entries in the byte order of their keys.
func (s Storage) List(ctx context.Context, o ListOptions) ([]Entry, error) {
	if err := s.inTurn(ctx); err != nil {
		return nil, err
	}
	if o.Start != "" && o.StartAfter != "" {
		return nil, fmt.Errorf("list: Start and StartAfter exclude each other")
	}
	if o.Limit < 0 {
		return nil, fmt.Errorf("list: negative limit %d", o.Limit)
	}
	r := storage.Range{Prefix: o.Prefix, Start: o.Start, After: o.StartAfter, End: o.End, Reverse: o.Reverse, Limit: o.Limit}
	r = visible(r)
	pending := s.i.writes.overlay(r)
	var stored []storage.Entry
	if s.i.writes.cleared() < 0 {
		if r.Limit > 0 {
			r.Limit += len(pending) // so many of the stored ones may be hidden
		}
		var err error
		if stored, err = s.i.seat.List(ctx, r); err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
	}
	return merge(stored, pending, o.Reverse, o.Limit), nil
}

// overlay returns the part's last write to each key in r.
func (w *writeSet) overlay(r storage.Range) map[string]*write {
	var out map[string]*write
	for n := w.cleared() + 1; n < len(w.log); n++ {
		op := &w.log[n]
		k := op.Key
		if !strings.HasPrefix(k, r.Prefix) || k < r.Start || (r.After != "" && k <= r.After) || (r.End != "" && k >= r.End) {
			continue
		}
		if out == nil {
			out = make(map[string]*write)
		}
		out[k] = op
	}
	return out
}

func merge(stored []storage.Entry, pending map[string]*write, reverse bool, limit int) []Entry {
	out := make([]Entry, 0, len(stored)+len(pending))
	for _, e := range stored {
		if pending[e.Key] == nil {
			out = append(out, Entry{Key: e.Key, value: e.Value})
		}
	}
	if len(pending) > 0 {
		for _, k := range slices.Collect(maps.Keys(pending)) {
			if op := pending[k]; !op.Delete {
				out = append(out, Entry{Key: k, value: op.Value})
			}
		}
		slices.SortFunc(out, func(a, b Entry) int {
			if reverse {
				a, b = b, a
			}
			return strings.Compare(a.Key, b.Key)
		})
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// Transaction runs fn, and if it returns an error or panics, undoes what it
// has written. It needs no retries: nothing else runs in the room meanwhile. fn must not await.
func (s Storage) Transaction(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	if err := s.inTurn(ctx); err != nil {
		return err
	}
	m := s.i.writes.mark()
	done := false
	defer func() {
		if !done || err != nil {
			s.i.writes.rollback(m)
		}
	}()
	err = fn(ctx)
	done = true
	return err
}

// Sync returns when all that the room has written is durable. It ends the running commit: what the turn
// writes afterwards is another one.
func (s Storage) Sync(ctx context.Context) error {
	if err := s.inTurn(ctx); err != nil {
		return err
	}
	if err := s.i.mayFlush(); err != nil {
		return err
	}
	s.i.flush(s.i.cur, false)
	return s.i.seat.Sync(ctx)
}

// inTurn refuses what is called without the turn. The turn that runs may be another's: the context
// of an await tells, unless its function has entered a turn of its own by Do.
func (s Storage) inTurn(ctx context.Context) error {
	t := s.i.cur
	if t == nil || t.ev != nil && ctx.Value(inAwait{}) != nil {
		return ErrOutsideTurn
	}
	return nil
}

func (s Storage) check(ctx context.Context, key string) error {
	if key == "" || len(key) > storage.MaxKeyBytes {
		return fmt.Errorf("%w: this one has %d", ErrKeyTooLong, len(key))
	}
	if isHidden(key) {
		return fmt.Errorf("%w: %q", ErrReservedKey, key)
	}
	return s.inTurn(ctx)
}

func encodeValue(v any) ([]byte, error) {
	var data []byte
	if b, ok := v.([]byte); ok {
		data = slices.Clone(b)
	} else {
		var err error
		if data, err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	if data == nil {
		data = []byte{}
	}
	if len(data) > storage.MaxValueBytes {
		return nil, fmt.Errorf("%w: this one has %d bytes", ErrValueTooLarge, len(data))
	}
	return data, nil
}

func decodeValue(data []byte, v any) error {
	if b, ok := v.(*[]byte); ok {
		*b = slices.Clone(data)
		return nil
	}
	return json.Unmarshal(data, v)
}
