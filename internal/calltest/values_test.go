package calltest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// random fills a value with what is likely to make a difference: nil and empty, zero and odd.
func random(r *rand.Rand, v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(pick(r, times)))
		return
	}
	if v.Type() == reflect.TypeFor[json.RawMessage]() {
		v.SetBytes([]byte(pick(r, []string{`{"a": 1}`, `[]`, `null`, `"x"`})))
		return
	}
	if v.Type() == reflect.TypeFor[json.Number]() {
		v.SetString(pick(r, []string{"1", "-2.5e10", "", "0"}))
		return
	}
	small := r.IntN(3)
	if depth > 4 {
		small = 0
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(pick(r, []int64{0, -1, 1, math.MaxInt64, math.MinInt64, 77}))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(pick(r, []uint64{0, 1, math.MaxUint64, 1 << 53, 77}))
	case reflect.Float32, reflect.Float64:
		f := pick(r, []float64{0, math.Copysign(0, -1), 1, 0.1, 1e300, math.SmallestNonzeroFloat64, math.MaxFloat32, math.NaN(), math.Inf(1), -3})
		if r.IntN(8) > 0 && (f != f || math.IsInf(f, 0)) {
			f = 1 / 3.0
		}
		v.SetFloat(f)
	case reflect.String:
		v.SetString(pick(r, []string{"", "a", "ü<&>\u2028", "\x00", "\xff\xfea", "long long long", `"quoted"`, "null"}))
	case reflect.Slice:
		if r.IntN(4) > 0 {
			v.Set(reflect.MakeSlice(v.Type(), small, small+2))
		}
		for n := range v.Len() {
			random(r, v.Index(n), depth+1)
		}
	case reflect.Array:
		for n := range v.Len() {
			random(r, v.Index(n), depth+1)
		}
	case reflect.Map:
		if r.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range small {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				random(r, key, depth+1)
				random(r, value, depth+1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		if depth <= 4 && r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			random(r, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			field := v.Field(n)
			random(r, reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem(), depth+1) // exported or not
		}
	case reflect.Interface:
		if x := pick(r, []any{nil, 1, "x", []any{1.5, nil}, map[string]any{"a": true}, []int{}}); x != nil {
			v.Set(reflect.ValueOf(x))
		}
	default:
		panic("no values of " + v.Type().String())
	}
}

var times []time.Time // set by TestMain

func someTimes() []time.Time {
	return []time.Time{
		{}, time.Now(), time.Now().UTC(), time.Unix(1e9, 5), time.Time{}.Local(),
		time.Date(2020, 2, 29, 23, 59, 59, 123456789, time.FixedZone("HERE", 3600*5+1800)),
		time.Date(2020, 2, 29, 1, 2, 3, 0, time.FixedZone("odd", 61)),
		time.Date(12020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// places collects what a value leads to: the addresses of all that is not its own.
func places(v reflect.Value, into map[unsafe.Pointer]string, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*time.Location]() {
			into[v.UnsafePointer()] = path
			places(v.Elem(), into, path+".*")
		}
	case reflect.Slice:
		if v.Cap() > 0 {
			into[v.UnsafePointer()] = path
		}
		for n := range v.Len() {
			places(v.Index(n), into, fmt.Sprint(path, "[", n, "]"))
		}
	case reflect.Array:
		for n := range v.Len() {
			places(v.Index(n), into, path)
		}
	case reflect.Map:
		if !v.IsNil() {
			into[v.UnsafePointer()] = path
		}
		for k, e := range v.Seq2() {
			places(e, into, fmt.Sprint(path, "[", k, "]"))
		}
	case reflect.Struct:
		for n := range v.NumField() {
			places(v.Field(n), into, path+"."+v.Type().Field(n).Name)
		}
	case reflect.Interface:
		if !v.IsNil() {
			places(v.Elem(), into, path)
		}
	}
}

// shared says what two lists of values both lead to; "" if nothing.
func shared(a, b []any) string {
	here, there := make(map[unsafe.Pointer]string), make(map[unsafe.Pointer]string)
	for n := range a {
		places(reflect.ValueOf(a[n]), here, fmt.Sprint("#", n))
	}
	for n := range b {
		places(reflect.ValueOf(b[n]), there, fmt.Sprint("#", n))
	}
	var out []string
	for p, path := range here {
		if other, ok := there[p]; ok && !zeroSized[p] {
			out = append(out, path+" is "+other)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		return ""
	}
	return out[0]
}

// zeroSized are the addresses that Go gives to everything without a size.
var zeroSized = map[unsafe.Pointer]bool{
	unsafe.Pointer(new(struct{})):                    true,
	unsafe.Pointer(unsafe.SliceData(make([]int, 0))): true,
}
