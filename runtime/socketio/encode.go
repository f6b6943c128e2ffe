package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// encoder writes arguments as JSON and takes what is binary out of them: any
// []byte, wherever it is in a value.
type encoder struct {
	buf         []byte
	attachments [][]byte
}

// array writes a list of values, with an event's name in front if there is one.
func (e *encoder) array(name string, values []any) error {
	e.buf = append(e.buf, '[')
	if name != "" {
		e.buf = appendQuoted(e.buf, name)
	}
	for n, v := range values {
		if n > 0 || name != "" {
			e.buf = append(e.buf, ',')
		}
		if err := e.value(v); err != nil {
			return fmt.Errorf("argument %d: %w", n, err)
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...)
	case string:
		e.buf = appendQuoted(e.buf, v)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case []byte:
		e.binary(v)
	case Value:
		e.passOn(v)
	case json.RawMessage:
		return e.plain(v)
	default:
		return e.reflected(reflect.ValueOf(v))
	}
	return nil
}

func (e *encoder) binary(b []byte) {
	if b == nil {
		e.buf = append(e.buf, "null"...)
		return
	}
	e.buf = appendPlaceholder(e.buf, len(e.attachments))
	e.attachments = append(e.attachments, b)
}

// passOn writes a value that came from a client as it came; only its attachments are counted anew.
func (e *encoder) passOn(v Value) {
	if v.IsNull() {
		e.buf = append(e.buf, "null"...)
		return
	}
	if len(v.attachments) == 0 {
		e.buf = append(e.buf, v.raw...)
		return
	}
	last := 0
	for _, m := range placeholder.FindAllSubmatchIndex(v.raw, -1) {
		e.buf = append(e.buf, v.raw[last:m[0]]...)
		e.binary(v.attachment(v.raw[m[2]:m[3]]))
		last = m[1]
	}
	e.buf = append(e.buf, v.raw[last:]...)
}

func (e *encoder) plain(v any) error {
	b, err := marshal(v)
	if err != nil {
		return err
	}
	e.buf = append(e.buf, b...)
	return nil
}

// reflected writes a value of any type. What cannot hold bytes is left to encoding/json.
func (e *encoder) reflected(v reflect.Value) error {
	t := v.Type()
	if v.CanInterface() {
		if p, ok := v.Interface().(Value); ok {
			e.passOn(p)
			return nil
		}
	}
	if !holdsBytes(t) {
		return e.plain(v.Interface())
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			e.buf = append(e.buf, "null"...)
			return nil
		}
		return e.reflected(v.Elem())
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			e.binary(v.Bytes())
			return nil
		}
		return e.list(v)
	case reflect.Map:
		return e.mapping(v)
	case reflect.Struct:
		e.buf = append(e.buf, '{')
		if _, err := e.fields(v, false); err != nil {
			return err
		}
		e.buf = append(e.buf, '}')
		return nil
	}
	return e.plain(v.Interface())
}

func (e *encoder) list(v reflect.Value) error {
	if v.Kind() == reflect.Slice && v.IsNil() {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	e.buf = append(e.buf, '[')
	for n := range v.Len() {
		if n > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.reflected(v.Index(n)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// mapping writes a map with its keys in order, as encoding/json does.
func (e *encoder) mapping(v reflect.Value) error {
	if v.IsNil() {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	e.buf = append(e.buf, '{')
	for n, k := range keys {
		if n > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(appendQuoted(e.buf, k.String()), ':')
		if err := e.reflected(v.MapIndex(k)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// fields writes the fields of a struct by the rules of encoding/json's tags:
// names, "-", omitempty, and embedded structs, whose fields are taken in.
func (e *encoder) fields(v reflect.Value, more bool) (bool, error) {
	t := v.Type()
	for n := range t.NumField() {
		f := t.Field(n)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		fv := v.Field(n)
		if f.Anonymous && name == "" {
			if fv.Kind() == reflect.Pointer {
				if fv.IsNil() {
					continue
				}
				fv = fv.Elem()
			}
			if fv.Kind() == reflect.Struct {
				var err error
				if more, err = e.fields(fv, more); err != nil {
					return more, err
				}
				continue
			}
		}
		switch {
		case !f.IsExported() || f.Tag.Get("json") == "-":
			continue
		case strings.Contains(opts, "omitempty") && isEmpty(fv), strings.Contains(opts, "omitzero") && fv.IsZero():
			continue
		}
		if name == "" {
			name = f.Name
		}
		if more {
			e.buf = append(e.buf, ',')
		}
		more = true
		e.buf = append(appendQuoted(e.buf, name), ':')
		if err := e.reflected(fv); err != nil {
			return more, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return more, nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero() && v.Kind() != reflect.Struct
}

var (
	bytesInType sync.Map // of reflect.Type to bool
	marshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshal = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
	valueType   = reflect.TypeFor[Value]()
)

// holdsBytes reports whether values of a type may have a []byte somewhere that is to travel as binary.
func holdsBytes(t reflect.Type) bool {
	if known, ok := bytesInType.Load(t); ok {
		return known.(bool)
	}
	is := findBytes(t, nil)
	bytesInType.Store(t, is)
	return is
}

func findBytes(t reflect.Type, seen []reflect.Type) bool {
	if t == valueType {
		return true
	}
	if t.Kind() != reflect.Interface && (t.Implements(marshaler) || t.Implements(textMarshal)) || slices.Contains(seen, t) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return true
		}
		return findBytes(t.Elem(), append(seen, t))
	case reflect.Array, reflect.Pointer:
		return findBytes(t.Elem(), append(seen, t))
	case reflect.Map:
		return t.Key().Kind() == reflect.String && findBytes(t.Elem(), append(seen, t))
	case reflect.Struct:
		for n := range t.NumField() {
			if findBytes(t.Field(n).Type, append(seen, t)) {
				return true
			}
		}
	}
	return false
}

// marshal is json.Marshal as JavaScript does it: <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

const hex = "0123456789abcdef"

// appendQuoted writes s as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// appendHeader writes what stands before the payload of a packet.
func appendHeader(b []byte, typ packetType, attachments int, nsp string, id int64) []byte {
	if attachments > 0 {
		switch typ {
		case packetEvent:
			typ = packetBinaryEvent
		case packetAck:
			typ = packetBinaryAck
		}
	}
	b = append(b, '0'+byte(typ))
	if attachments > 0 {
		b = append(strconv.AppendInt(b, int64(attachments), 10), '-')
	}
	if nsp != "/" {
		b = append(append(b, nsp...), ',')
	}
	if id != noID {
		b = strconv.AppendInt(b, id, 10)
	}
	return b
}
