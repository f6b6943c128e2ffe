package stream

import (
	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// The fields of an effect that are there.
const (
	effectBinary = 1 << iota
	effectFinal
	effectVolatile
	effectCode
	effectSession
	effectRef
	effectData
	effectTag
	effectTags
	effectExcept
	effectHeader
	effectLossy
	effectOnly
	effectParts
)

func appendEffect(b []byte, e *link.Effect) []byte {
	flags := present(effectBinary, e.Binary) | present(effectFinal, e.Final) | present(effectVolatile, e.Volatile) |
		present(effectCode, e.Code != 0) | present(effectSession, e.Session != 0) | present(effectRef, e.Ref != 0) |
		present(effectData, e.Data != "") | present(effectTag, e.Tag != "") | present(effectTags, len(e.Tags) > 0) |
		present(effectExcept, len(e.Except) > 0) | present(effectHeader, e.Header != nil) |
		present(effectLossy, e.Lossy) | present(effectOnly, len(e.Only) > 0) | present(effectParts, len(e.Parts) > 0)
	b = appendUint(append(b, byte(e.Op)), flags)
	if flags&effectCode != 0 {
		b = appendInt(b, int64(e.Code))
	}
	if flags&effectSession != 0 {
		b = appendUint(b, uint64(e.Session))
	}
	if flags&effectRef != 0 {
		b = appendUint(b, e.Ref)
	}
	if flags&effectData != 0 {
		b = appendString(b, e.Data)
	}
	if flags&effectTag != 0 {
		b = appendString(b, e.Tag)
	}
	if flags&effectTags != 0 {
		b = appendStrings(b, e.Tags)
	}
	if flags&effectExcept != 0 {
		b = appendSessionIDs(b, e.Except)
	}
	if flags&effectHeader != 0 {
		b = appendHeader(b, e.Header)
	}
	if flags&effectOnly != 0 {
		b = appendSessionIDs(b, e.Only)
	}
	if flags&effectParts != 0 {
		b = appendStrings(b, e.Parts)
	}
	return b
}

func appendSessionIDs(b []byte, ids []link.SessionID) []byte {
	b = appendUint(b, uint64(len(ids)))
	for _, id := range ids {
		b = appendUint(b, uint64(id))
	}
	return b
}

func (d *decoder) sessionID() link.SessionID { return link.SessionID(d.uint()) }

func (d *decoder) effect() link.Effect {
	e := link.Effect{Op: link.Op(d.byte())}
	if e.Op < link.Join || e.Op > link.Migrated {
		d.fail()
	}
	flags := d.uint()
	e.Binary = flags&effectBinary != 0
	e.Final = flags&effectFinal != 0
	e.Volatile = flags&effectVolatile != 0
	if flags&effectCode != 0 {
		e.Code = int(d.int())
	}
	if flags&effectSession != 0 {
		e.Session = link.SessionID(d.uint())
	}
	if flags&effectRef != 0 {
		e.Ref = d.uint()
	}
	if flags&effectData != 0 {
		e.Data = d.string()
	}
	if flags&effectTag != 0 {
		e.Tag = d.string()
	}
	if flags&effectTags != 0 {
		e.Tags = d.strings()
	}
	if flags&effectExcept != 0 {
		e.Except = list(d, 1, (*decoder).sessionID)
	}
	if flags&effectHeader != 0 {
		e.Header = d.header()
	}
	e.Lossy = flags&effectLossy != 0
	if flags&effectOnly != 0 {
		e.Only = list(d, 1, (*decoder).sessionID)
	}
	if flags&effectParts != 0 {
		e.Parts = d.strings()
	}
	return e
}

func appendOp(b []byte, o *storage.Op) []byte {
	b = appendString(appendBool(b, o.Delete), o.Key)
	if o.Delete {
		return b
	}
	return appendString(b, o.Value)
}

func (d *decoder) op() storage.Op {
	o := storage.Op{Delete: d.bool(), Key: d.string()}
	if !o.Delete {
		o.Value = d.bytes()
	}
	return o
}

func appendBatch(b []byte, batch *link.Batch) []byte {
	b = appendUint(b, batch.Consumed)
	b = appendBool(b, batch.Clear)
	b = appendBool(b, batch.Unconfirmed)
	b = append(b, byte(batch.Alarm))
	if batch.Alarm == storage.SetAlarm {
		b = appendTime(b, batch.AlarmAt)
	}
	b = appendUint(b, uint64(len(batch.Ops)))
	for n := range batch.Ops {
		b = appendOp(b, &batch.Ops[n])
	}
	b = appendUint(b, uint64(len(batch.Effects)))
	for n := range batch.Effects {
		b = appendEffect(b, &batch.Effects[n])
	}
	return b
}

// batch decodes into a batch from link.NewBatch. If that fails, the batch is as good as any other garbage.
func (d *decoder) batch() *link.Batch {
	batch := link.NewBatch()
	batch.Consumed = d.uint()
	batch.Clear = d.bool()
	batch.Unconfirmed = d.bool()
	batch.Alarm = storage.AlarmChange(d.byte())
	if batch.Alarm > storage.ClearAlarm {
		d.fail()
	}
	if batch.Alarm == storage.SetAlarm {
		batch.AlarmAt = d.time()
	}
	batch.Ops = list(d, 2, (*decoder).op)
	for range d.count(2) {
		if d.bad {
			break
		}
		batch.Effects = append(batch.Effects, d.effect())
	}
	return batch
}

func appendRange(b []byte, r *storage.Range) []byte {
	b = appendString(b, r.Prefix)
	b = appendString(b, r.Start)
	b = appendString(b, r.After)
	b = appendString(b, r.End)
	return appendInt(appendBool(b, r.Reverse), int64(r.Limit))
}

func (d *decoder) storageRange() storage.Range {
	return storage.Range{
		Prefix: d.string(), Start: d.string(), After: d.string(), End: d.string(),
		Reverse: d.bool(), Limit: int(d.int()),
	}
}

func (d *decoder) entry() storage.Entry { return storage.Entry{Key: d.string(), Value: d.bytes()} }

func appendEntries(b []byte, entries []storage.Entry) []byte {
	b = appendUint(b, uint64(len(entries)))
	for n := range entries {
		b = appendString(appendString(b, entries[n].Key), entries[n].Value)
	}
	return b
}

func appendValues(b []byte, values map[string][]byte) []byte {
	b = appendUint(b, uint64(len(values)))
	for k, v := range values {
		b = appendString(appendString(b, k), v)
	}
	return b
}

func (d *decoder) values() map[string][]byte {
	n := d.count(2)
	values := make(map[string][]byte, capacity(n))
	for range n {
		if d.bad {
			return nil
		}
		k := d.string()
		values[k] = d.bytes()
	}
	return values
}
