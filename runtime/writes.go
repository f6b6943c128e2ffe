package party

import (
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// write is one storage call of the running turn.
type write struct {
	storage.Op
	clear bool // DeleteAll; Op is unused
}

// writeSet is what the running part of a turn has written so far: a log, so
// that a failed callback or transaction can be cut off.
type writeSet struct {
	log    []write
	index  map[string]int // last place of a key in log; nil while log is short
	part   uint64         // counts the parts that were handed over
	firm   bool           // something in the part must be durable before its outputs leave
	alarm  alarmState
	at     time.Time // when the alarm is set for, as room code sees it
	before time.Time // at, when the part began
}

type alarmState uint8

const (
	keepAlarm  alarmState = iota
	setAlarm              // to writeSet.at
	clearAlarm            //
	clearLater            // at the end of OnAlarm, unless it sets a new one
)

const indexFrom = 16 // writes from which looking up by index pays

func (w *writeSet) reset(alarm time.Time) { *w = writeSet{at: alarm, before: alarm} }

func (w *writeSet) add(op storage.Op) {
	w.log = append(w.log, write{Op: op})
	switch {
	case w.index != nil:
		w.index[op.Key] = len(w.log) - 1
	case len(w.log) >= indexFrom:
		w.reindex()
	}
}

func (w *writeSet) clear() {
	w.log = append(w.log, write{clear: true})
	w.index = nil
}

func (w *writeSet) reindex() {
	w.index = nil
	if len(w.log) < indexFrom {
		return
	}
	w.index = make(map[string]int, len(w.log))
	for n := w.cleared() + 1; n < len(w.log); n++ {
		w.index[w.log[n].Key] = n
	}
}

// cleared returns the place of the last DeleteAll, -1 without one.
func (w *writeSet) cleared() int {
	for n := len(w.log) - 1; n >= 0; n-- {
		if w.log[n].clear {
			return n
		}
	}
	return -1
}

// lookup finds what the part knows of a key: written says whether it decides.
func (w *writeSet) lookup(key string) (value []byte, exists, written bool) {
	if w.index != nil {
		if n, ok := w.index[key]; ok {
			op := &w.log[n]
			return op.Value, !op.Delete, true
		}
		return nil, false, w.cleared() >= 0
	}
	for n := len(w.log) - 1; n >= 0; n-- {
		switch op := &w.log[n]; {
		case op.clear:
			return nil, false, true
		case op.Key == key:
			return op.Value, !op.Delete, true
		}
	}
	return nil, false, false
}

// writeMark is a place in a writeSet to go back to.
type writeMark struct {
	part  uint64
	n     int
	alarm alarmState
	at    time.Time
}

func (w *writeSet) mark() writeMark {
	return writeMark{part: w.part, n: len(w.log), alarm: w.alarm, at: w.at}
}

// rollback undoes what was written since the mark, or since the part began
// if the mark is in an earlier one.
func (w *writeSet) rollback(m writeMark) {
	if m.part != w.part {
		w.drop()
		return
	}
	if len(w.log) > m.n {
		clear(w.log[m.n:])
		w.log = w.log[:m.n]
		w.reindex()
	}
	w.alarm, w.at = m.alarm, m.at
}

// drop undoes the whole part.
func (w *writeSet) drop() {
	w.log, w.index = nil, nil
	if w.alarm != clearLater {
		w.alarm, w.at = keepAlarm, w.before
	}
}

// settleAlarm ends OnAlarm: the alarm that was due is removed.
func (w *writeSet) settleAlarm() {
	if w.alarm == clearLater {
		w.alarm = clearAlarm
	}
}

// moveTo hands the part over as a batch's writes and begins the next part.
func (w *writeSet) moveTo(b *link.Batch) {
	switch w.alarm {
	case setAlarm:
		b.Alarm, b.AlarmAt = storage.SetAlarm, w.at
		w.alarm = keepAlarm
	case clearAlarm:
		b.Alarm = storage.ClearAlarm
		w.alarm = keepAlarm
	}
	b.Unconfirmed = !w.firm && b.Alarm == storage.KeepAlarm && len(w.log) > 0
	w.firm = false
	w.before = w.at
	w.part++
	if len(w.log) == 0 {
		return
	}
	from := w.cleared()
	b.Clear = from >= 0
	log := w.log[from+1:]
	if len(log) > 0 {
		b.Ops = make([]storage.Op, len(log))
		for n := range log {
			b.Ops[n] = log[n].Op
		}
	}
	clear(w.log)
	w.log, w.index = w.log[:0], nil
	if cap(w.log) > 256 {
		w.log = nil
	}
}
