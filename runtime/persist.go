package party

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/goparty-dev/party/runtime/storage"
)

// Persisted is one field of a room's value that outlives the value. Generated
// code makes one for each struct field tagged party:"persist"; without it, put
// them into Instance.Persist.
//
// A field is restored before OnStart. It is saved, if it has changed, in the commit
// of each part of a turn: at an Await, at Sync, and when a callback ends. A callback that panics, or
// leaves a field that cannot be encoded, drops what it has written, and the
// field is again what was saved last. A callback that returns an error, and a Transaction
// that does, keep what they have done to fields.
//
// Fields are stored as JSON, at most 2 MiB each, apart from the keys that room code sees.
type Persisted interface {
	fieldName() string
	// load takes the stored value, nil if there is none. The value that the field then has counts as saved.
	load(data []byte) error
	changed() bool
	encode() ([]byte, error)
	// saved notes that the present value is the saved one. data is what encode returned.
	saved(data []byte)
	// undo puts the saved value back.
	undo()
}

// PersistValue is a field that == compares as a whole: without pointers,
// interfaces or channels in it, time.Time excepted. An unchanged one costs a comparison.
func PersistValue[T comparable](name string, field *T) Persisted {
	return &valueField[T]{fieldAt: fieldAt[T]{name, field}, copy: *field}
}

// PersistSlice is a slice of what PersistValue takes. An unchanged one costs a comparison of all its elements.
func PersistSlice[S ~[]E, E comparable](name string, field *S) Persisted {
	return &sliceField[S, E]{fieldAt[S]{name, field}, slices.Clone(*field)}
}

// PersistMap is a map of what PersistValue takes. An unchanged one costs a lookup for each of its elements.
func PersistMap[M ~map[K]V, K, V comparable](name string, field *M) Persisted {
	return &mapField[M, K, V]{fieldAt[M]{name, field}, maps.Clone(*field)}
}

// PersistJSON is a field of any type that encoding/json can write and read
// back. There is no telling whether it has changed but to encode it, after each callback.
func PersistJSON[T any](name string, field *T) Persisted {
	return &jsonField[T]{fieldAt: fieldAt[T]{name, field}}
}

// fieldAt is what all kinds of fields have in common.
type fieldAt[T any] struct {
	name string
	at   *T
}

func (f *fieldAt[T]) fieldName() string       { return f.name }
func (f *fieldAt[T]) encode() ([]byte, error) { return json.Marshal(f.at) }

func (f *fieldAt[T]) decode(data []byte) error {
	if data == nil {
		return nil
	}
	var v T // what is stored takes the place of whatever is there
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*f.at = v
	return nil
}

type valueField[T comparable] struct {
	fieldAt[T]
	copy T
}

func (f *valueField[T]) changed() bool { return *f.at != f.copy }
func (f *valueField[T]) saved([]byte)  { f.copy = *f.at }
func (f *valueField[T]) undo()         { *f.at = f.copy }

func (f *valueField[T]) load(data []byte) error {
	err := f.decode(data)
	f.copy = *f.at
	return err
}

type sliceField[S ~[]E, E comparable] struct {
	fieldAt[S]
	copy S
}

func (f *sliceField[S, E]) changed() bool {
	return (*f.at == nil) != (f.copy == nil) || !slices.Equal(*f.at, f.copy)
}
func (f *sliceField[S, E]) saved([]byte) { f.copy = slices.Clone(*f.at) }
func (f *sliceField[S, E]) undo()        { *f.at = slices.Clone(f.copy) }

func (f *sliceField[S, E]) load(data []byte) error {
	err := f.decode(data)
	f.saved(nil)
	return err
}

type mapField[M ~map[K]V, K, V comparable] struct {
	fieldAt[M]
	copy M
}

func (f *mapField[M, K, V]) changed() bool {
	return (*f.at == nil) != (f.copy == nil) || !maps.Equal(*f.at, f.copy)
}
func (f *mapField[M, K, V]) saved([]byte) { f.copy = maps.Clone(*f.at) }
func (f *mapField[M, K, V]) undo()        { *f.at = maps.Clone(f.copy) }

func (f *mapField[M, K, V]) load(data []byte) error {
	err := f.decode(data)
	f.saved(nil)
	return err
}

// jsonField keeps the encoded value instead of a copy: a copy of what
// pointers lead to would have to be made by encoding anyway.
type jsonField[T any] struct {
	fieldAt[T]
	data []byte
}

func (f *jsonField[T]) changed() bool {
	data, err := f.encode()
	return err != nil || !bytes.Equal(data, f.data) // encode will say what is wrong
}
func (f *jsonField[T]) saved(data []byte) { f.data = data }

func (f *jsonField[T]) load(data []byte) error {
	if err := f.decode(data); err != nil {
		return err
	}
	data, err := f.encode()
	f.data = data
	return err
}

func (f *jsonField[T]) undo() {
	var v T
	*f.at = v
	if f.data != nil {
		// It has been read or written before.
		_ = f.decode(f.data)
	}
}

// fieldKey is where a field is stored.
func fieldKey(name string) string { return hiddenField + name }

// loadHidden returns what is stored of the fields of the room's value, and the version of the room's data.
func (i *instance) loadHidden() (map[string][]byte, error) {
	if i.empty {
		return nil, nil
	}
	keys := []string{hiddenVersion}
	for _, f := range i.hooks.Persist {
		keys = append(keys, fieldKey(f.fieldName()))
	}
	stored, err := i.seat.Get(i.ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("load persisted fields: %w", err)
	}
	return stored, nil
}

// restoreFields gives a fresh value what an earlier one has saved.
func (i *instance) restoreFields(stored map[string][]byte) error {
	i.fields = nil // until all are loaded, none may be saved
	fields := i.hooks.Persist
	for _, f := range fields {
		if err := f.load(stored[fieldKey(f.fieldName())]); err != nil {
			return fmt.Errorf("restore field %q of %s: %w", f.fieldName(), i.def.Type, err)
		}
	}
	i.fields = fields
	return nil
}

// saveFields adds the fields that have changed to the writes of the running
// part, all or none.
func (i *instance) saveFields() error {
	var ops []storage.Op // by field; mostly none
	for n, f := range i.fields {
		if !f.changed() {
			continue
		}
		data, err := f.encode()
		if err == nil && len(data) > storage.MaxValueBytes {
			err = fmt.Errorf("%w: this one has %d bytes", ErrValueTooLarge, len(data))
		}
		if err != nil {
			return fmt.Errorf("save field %q of %s: %w", f.fieldName(), i.def.Type, err)
		}
		if ops == nil {
			ops = make([]storage.Op, len(i.fields))
		}
		ops[n] = storage.Op{Key: fieldKey(f.fieldName()), Value: data}
	}
	for n := range ops {
		if ops[n].Key != "" {
			i.fields[n].saved(ops[n].Value)
			i.writes.firm = true
			i.writes.add(ops[n])
		}
	}
	return nil
}

// undoFields puts the fields back to what was saved last.
func (i *instance) undoFields() {
	for _, f := range i.fields {
		f.undo()
	}
}

// checkPersisted finds mistakes that only hand-written definitions can make.
func checkPersisted(d *Definition) error {
	v := d.New()
	seen := make(map[string]bool, len(v.Persist))
	for _, f := range v.Persist {
		switch name := f.fieldName(); {
		case name == "" || len(fieldKey(name)) > storage.MaxKeyBytes:
			return fmt.Errorf("room type %s: a persisted field has a name of %d bytes", d.Type, len(name))
		case seen[name]:
			return fmt.Errorf("room type %s: two persisted fields are named %q", d.Type, name)
		default:
			seen[name] = true
		}
	}
	for n, m := range v.Migrate {
		if m.Version < 2 || n > 0 && m.Version <= v.Migrate[n-1].Version {
			return fmt.Errorf("room type %s: data migrations must ascend from version 2", d.Type)
		}
	}
	return nil
}
