package memory

import (
	"cmp"
	"slices"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// room is what one room has stored.
type room struct {
	values map[string][]byte
	keys   []string // of values, sorted
	alarm  time.Time
}

func newRoom() *room { return &room{values: make(map[string][]byte)} }

func (r *room) empty() bool { return len(r.keys) == 0 && r.alarm.IsZero() }

func (r *room) apply(c *storage.Commit) {
	if c.Clear {
		clear(r.values)
		r.keys = nil
	}
	for _, op := range c.Ops {
		if op.Delete {
			r.remove(op.Key)
		} else {
			r.put(op.Key, op.Value)
		}
	}
	switch c.Alarm {
	case storage.SetAlarm:
		r.alarm = millis(c.AlarmAt)
	case storage.ClearAlarm:
		r.alarm = time.Time{}
	}
}

func (r *room) put(key string, value []byte) {
	if _, ok := r.values[key]; !ok {
		i, _ := slices.BinarySearch(r.keys, key)
		r.keys = slices.Insert(r.keys, i, key)
	}
	r.values[key] = value
}

func (r *room) remove(key string) {
	if _, ok := r.values[key]; !ok {
		return
	}
	delete(r.values, key)
	i, _ := slices.BinarySearch(r.keys, key)
	r.keys = slices.Delete(r.keys, i, i+1)
}

func (r *room) list(in storage.Range) []storage.Entry {
	lo, hi := in.Bounds()
	first, _ := slices.BinarySearch(r.keys, lo)
	last := len(r.keys)
	if hi != "" {
		last, _ = slices.BinarySearch(r.keys, hi)
	}
	n := max(last-first, 0)
	if in.Limit > 0 {
		n = min(n, in.Limit)
	}
	entries := make([]storage.Entry, n)
	for i := range entries {
		key := r.keys[first+i]
		if in.Reverse {
			key = r.keys[last-1-i]
		}
		entries[i] = storage.Entry{Key: key, Value: r.values[key]}
	}
	return entries
}

// alarms lists the alarms of rooms that come after the given one, in order.
func alarms(rooms map[storage.Room]*room, after storage.Alarm, limit int) []storage.Alarm {
	var found []storage.Alarm
	all := after.At.IsZero() && after.Room == storage.Room{}
	for addr, r := range rooms {
		a := storage.Alarm{Room: addr, At: r.alarm}
		if !r.alarm.IsZero() && (all || compare(a, after) > 0) {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, compare)
	return found[:min(len(found), max(limit, 0))]
}

// compare orders alarms by their time, then by their room.
func compare(a, b storage.Alarm) int {
	return cmp.Or(
		millis(a.At).Compare(millis(b.At)),
		cmp.Compare(a.Room.Party, b.Room.Party),
		cmp.Compare(a.Room.Name, b.Room.Name),
	)
}
