package stream

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// seen is what of a request is to come through.
type seen struct {
	Method, Proto, Host, RemoteAddr, RequestURI, Body string
	Major, Minor                                      int
	Length                                            int64
	URL                                               *url.URL
	Header                                            http.Header
}

func see(r *http.Request) *seen {
	if r == nil {
		return nil
	}
	s := &seen{
		Method: r.Method, Proto: r.Proto, Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI,
		Major: r.ProtoMajor, Minor: r.ProtoMinor, Length: r.ContentLength, URL: r.URL, Header: r.Header,
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.Body = "error: " + err.Error()
		} else {
			s.Body = string(body)
		}
		r.Body = newBody(body)
	}
	return s
}

// alike compares what is carried and leaves out what is not.
var alike = cmp.Options{
	cmp.Transformer("see", see),
	cmp.AllowUnexported(url.Userinfo{}),
	cmpopts.IgnoreFields(link.Event{}, "Yielded"),
	cmpopts.IgnoreFields(link.Wake{}, "Seat", "Sessions"),
	cmpopts.IgnoreFields(link.Call{}, "Lobby"),
	cmp.Comparer(func(a, b error) bool {
		if a == nil || b == nil {
			return a == b
		}
		return a.Error() == b.Error()
	}),
	cmp.AllowUnexported(result{}),
}

func fullRequest() *http.Request {
	return &http.Request{
		Method: "PUT", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{
			Scheme: "https", User: url.UserPassword("ada", ""), Host: "example.com:8443", Path: "/a b/ü", RawPath: "/a%20b/%C3%BC",
			RawQuery: "q=1&_pk=x", Fragment: "f g", RawFragment: "f%20g", ForceQuery: true, OmitHost: true, Opaque: "o",
		},
		Header:        http.Header{"X-A": {"1", "2"}, "lower": {""}},
		Host:          "example.com",
		RemoteAddr:    "192.0.2.1:1234",
		RequestURI:    "/a%20b/%C3%BC?q=1&_pk=x",
		ContentLength: -1,
		Body:          newBody([]byte("the body\x00\xff")),
	}
}

func plainRequest() *http.Request {
	return &http.Request{Method: "GET", URL: &url.URL{Path: "//odd"}, Header: http.Header{}, Body: http.NoBody}
}

func events() []*link.Event {
	at := time.Date(2026, 11, 21, 1, 2, 3, 456789, time.UTC)
	return []*link.Event{
		{Kind: link.Nudge, Seq: 1},
		{Kind: link.Open, Seq: 2, Session: 7, Conn: "ada", URI: "http://h/parties/chat/a", Request: plainRequest()},
		{Kind: link.Message, Seq: 3, Session: 1 << 63, Data: "text"},
		{Kind: link.Message, Seq: 4, Session: 7, Data: "\x00\xff", Binary: true, Deaths: 1},
		{Kind: link.Message, Seq: 1<<64 - 1, Session: 7},
		{Kind: link.Close, Seq: 5, Session: 7, Code: 1000, Reason: "bye", Clean: true},
		{Kind: link.Close, Seq: 6, Session: 7, Code: -1},
		{Kind: link.Request, Seq: 7, Request: fullRequest()},
		{Kind: link.Alarm, Seq: 8, At: at, Attempt: 3},
		{Kind: link.Alarm, Seq: 9, At: at.Local()},
		{
			Kind: link.Alarm, Binary: true, Clean: true, Engine: true, Code: 1, Seq: 2, Session: 3, Data: "d", Reason: "r", Conn: "c", URI: "u",
			At: time.Unix(-62135596801, 5), Attempt: 4, Request: fullRequest(), Deaths: 2,
		},
	}
}

func batches() []*link.Batch {
	ops := []link.Effect{
		{Op: link.Join, Session: 1, Tags: []string{"ada", ""}},
		{Op: link.Accept, Session: 1},
		{Op: link.Deny, Session: 1, Code: 403, Data: "no"},
		{Op: link.Send, Session: 1, Data: "\xff", Binary: true, Volatile: true},
		{Op: link.Broadcast, Data: "all", Tag: "red", Except: []link.SessionID{1, 1 << 63}},
		{Op: link.Shut, Session: 1, Code: 4000, Data: "out", Final: true},
		{Op: link.SetState, Session: 1, Data: "{}"},
		{Op: link.SetState, Session: 1, Binary: true},
		{Op: link.Respond, Ref: 9, Code: 200, Header: http.Header{"A": {"1"}}, Data: "part"},
		{Op: link.Respond, Ref: 9, Code: -1, Header: http.Header{}, Final: true},
		{Op: link.AlarmFailed},
		{Op: link.Headers, Session: 1, Header: http.Header{"A": {"1"}}},
		{Op: link.Keep, Data: "kept", Code: 5},
		{Op: link.Migrated, Data: "why not"},
		{
			Op: link.Keep, Binary: true, Final: true, Volatile: true, Lossy: true, Code: 1, Session: 2, Ref: 3, Data: "4", Tag: "5",
			Tags: []string{"6"}, Except: []link.SessionID{7}, Only: []link.SessionID{8, 9}, Parts: []string{"\xff", ""}, Header: http.Header{"8": {"9"}},
		},
	}
	return []*link.Batch{
		{},
		{Consumed: 1},
		{Consumed: 1<<64 - 1, Effects: ops},
		{
			Consumed: 3, Unconfirmed: true, Effects: []link.Effect{{Op: link.Accept, Session: 1}}, Clear: true, Alarm: storage.SetAlarm, AlarmAt: time.UnixMilli(1795219200123),
			Ops: []storage.Op{{Key: "k", Value: []byte("v")}, {Key: "empty", Value: []byte{}}, {Key: "gone", Delete: true}},
		},
		{Alarm: storage.ClearAlarm},
		{Unconfirmed: true, Ops: []storage.Op{{Key: "k", Value: []byte("v")}}},
	}
}

func roundTrip[T any](t *testing.T, want T, encode func([]byte) []byte, decode func(*decoder) T, opts ...cmp.Option) {
	t.Helper()
	d := &decoder{b: encode(nil)}
	got := decode(d)
	if err := d.done(); err != nil {
		t.Fatalf("decode %+v: %v", want, err)
	}
	if diff := cmp.Diff(got, want, append(opts, alike)...); diff != "" {
		t.Errorf("round trip of %+v (-got +want):\n%s", want, diff)
	}
}

func TestRoundTripEvents(t *testing.T) {
	for _, ev := range events() {
		var body []byte
		if ev.Request != nil {
			body, _ = readBody(ev.Request.Body)
		}
		roundTrip(t, ev, func(b []byte) []byte { return appendEvent(b, ev, body) }, (*decoder).event)
	}
}

func TestRoundTripBatches(t *testing.T) {
	for _, batch := range batches() {
		roundTrip(t, batch, func(b []byte) []byte { return appendBatch(b, batch) }, (*decoder).batch, cmpopts.EquateEmpty())
	}
	// A removed value and an empty one differ, and so does a header that is not there.
	d := &decoder{b: appendBatch(nil, batches()[3])}
	if v := d.batch().Ops[1].Value; v == nil {
		t.Error("an empty value became nil")
	}
}

func TestRoundTripSessions(t *testing.T) {
	for _, s := range []link.Session{
		{ID: 1},
		{ID: 1 << 63, Conn: "c", URI: "u", Tags: []string{"c", "t"}, State: []byte("{}"), Request: plainRequest(), Closing: true, Engine: true},
		{ID: 2, State: []byte{}},
	} {
		roundTrip(t, s, func(b []byte) []byte { return appendSession(b, &s) }, (*decoder).session)
	}
}

func TestRoundTripWake(t *testing.T) {
	for _, w := range []link.Wake{
		{Room: storage.Room{Party: "chat", Name: "a/ü"}, Fence: 1 << 60, Alarm: time.UnixMilli(1), Empty: true, Kept: "kept"},
		{Room: storage.Room{Name: "socket"}},
	} {
		roundTrip(t, w, func(b []byte) []byte { return appendWake(b, &w) }, (*decoder).wake)
	}
}

func TestRoundTripRange(t *testing.T) {
	r := storage.Range{Prefix: "p", Start: "s", After: "a", End: "e", Reverse: true, Limit: 5}
	roundTrip(t, r, func(b []byte) []byte { return appendRange(b, &r) }, (*decoder).storageRange)
}

func TestRoundTripHandshake(t *testing.T) {
	init := Init{Vars: []byte(`{"A":"b"}`), Dev: true, IdleAfter: time.Minute, LogLevel: slog.LevelDebug}
	roundTrip(t, init, func(b []byte) []byte { return appendInit(b, &init) }, (*decoder).init)
	info := testInfo()
	roundTrip(t, info, func(b []byte) []byte { return appendInfo(b, info) }, (*decoder).info)
	roundTrip(t, link.Info{}, func(b []byte) []byte { return appendInfo(b, link.Info{}) }, (*decoder).info)
}

func testInfo() link.Info {
	return link.Info{
		Parties: []link.Party{
			{Name: "chat", Type: "Chat", Main: true, Requests: true, BeforeConnect: true},
			{
				Name: "user", Type: "User", Main: true, Hibernate: true, Requests: true, BeforeConnect: true, BeforeRequest: true,
				Engine: &link.Engine{Path: "/io/", PingInterval: time.Second, CORS: &link.EngineCORS{Origins: []string{"*"}}},
			},
		},
		Fetch: true, Socket: true, Crons: []string{"daily", "hourly"},
	}
}

func TestRoundTripCalls(t *testing.T) {
	for _, c := range []link.Call{
		{Kind: link.CallFetch, Request: fullRequest()},
		{Kind: link.CallBeforeConnect, Room: storage.Room{Party: "p", Name: "n"}, Request: plainRequest()},
		{Kind: link.CallCron, Cron: "daily", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		fullCall(),
	} {
		var body []byte
		if c.Request != nil {
			body, _ = readBody(c.Request.Body)
		}
		roundTrip(t, c, func(b []byte) []byte { return appendCall(b, &c, body) }, (*decoder).call)
	}
	for _, r := range []*result{
		{},
		{outcome: link.Outcome{Answered: true}},
		{outcome: link.Outcome{Pass: plainRequest()}, sameBody: true},
		{outcome: link.Outcome{Pass: plainRequest(), Forward: &storage.Room{Party: "p", Name: "n"}}},
		{aborted: true, err: errors.New("oops")},
	} {
		roundTrip(t, r, func(b []byte) []byte { return appendResult(b, r, nil) }, (*decoder).result)
	}
}

func fullCall() link.Call {
	return link.Call{
		Kind: link.CallBeforeRequest, Room: storage.Room{Party: "p", Name: "n"}, Cron: "daily",
		At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Request: fullRequest(),
	}
}

// TestRoundTripsAreComplete fails when the contract has got a field that no sample sets: the
// codec has to learn it, then the samples.
func TestRoundTripsAreComplete(t *testing.T) {
	session := link.Session{
		ID: 1, Conn: "c", URI: "u", Tags: []string{"c"}, State: []byte("s"), Request: plainRequest(), Closing: true, Engine: true,
	}
	wake := link.Wake{
		Room: storage.Room{Party: "p", Name: "n"}, Fence: 1, Alarm: time.UnixMilli(1), Empty: true, Kept: "k",
		Sessions: []link.Session{session}, // TestWakeComesThrough
	}
	all := batches()
	effects := all[2].Effects
	for _, c := range []struct {
		sample  any
		skipped []string // not carried
	}{
		{*events()[len(events())-1], []string{"Yielded", "Timing", "Invocation"}},
		{*all[3], nil},
		{effects[len(effects)-1], nil},
		{session, nil},
		{wake, []string{"Seat"}},
		{testInfo(), nil},
		{testInfo().Parties[1], nil},
		{fullCall(), []string{"Lobby"}},
		{link.Outcome{Answered: true, Pass: plainRequest(), Forward: &storage.Room{}}, nil},
		{Init{Vars: []byte("{}"), Dev: true, IdleAfter: 1, LogLevel: 1}, nil},
		{storage.Op{Key: "k", Value: []byte("v"), Delete: true}, nil},
		{storage.Range{Prefix: "p", Start: "s", After: "a", End: "e", Reverse: true, Limit: 5}, nil},
		{storage.Entry{Key: "k", Value: []byte("v")}, nil},
	} {
		v := reflect.ValueOf(c.sample)
		for n := range v.NumField() {
			if name := v.Type().Field(n).Name; v.Field(n).IsZero() && !slices.Contains(c.skipped, name) {
				t.Errorf("%T.%s is in no round trip", c.sample, name)
			}
		}
	}
}

func TestRoundTripErrors(t *testing.T) {
	trip := func(err error) error {
		d := &decoder{b: appendError(nil, err)}
		got := d.error()
		if err := d.done(); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if err := trip(nil); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := trip(errors.New("text")); err == nil || err.Error() != "text" {
		t.Errorf("got %v, want text", err)
	}
	for _, want := range known {
		got := trip(&fs.PathError{Op: "open", Path: "x", Err: want})
		if !errors.Is(got, want) || !strings.HasPrefix(got.Error(), "open x: ") {
			t.Errorf("%v came back as %v", want, got)
		}
	}
	if errors.Is(trip(errors.New("other")), context.Canceled) {
		t.Error("an error without identity got one")
	}
}

// TestDecoderTruncated cuts valid payloads short at every place.
func TestDecoderTruncated(t *testing.T) {
	for _, ev := range events() {
		whole := appendEvent(nil, ev, []byte("body"))
		for n := range whole {
			d := &decoder{b: whole[:n]}
			d.event()
			if d.done() == nil {
				t.Fatalf("%d of %d bytes of %+v passed for an event", n, len(whole), ev)
			}
		}
	}
	for _, batch := range batches() {
		whole := appendBatch(nil, batch)
		for n := range whole {
			d := &decoder{b: whole[:n]}
			d.batch()
			if d.done() == nil {
				t.Fatalf("%d of %d bytes of %+v passed for a batch", n, len(whole), batch)
			}
		}
	}
}

func TestDecoderRefusesUnknown(t *testing.T) {
	for name, decode := range map[string]func(*decoder){
		"event": func(d *decoder) { d.event() },
		"op":    func(d *decoder) { d.effect() },
		"error": func(d *decoder) { d.error() },
		"bool":  func(d *decoder) { d.bool() },
		"time":  func(d *decoder) { d.time() },
	} {
		d := &decoder{b: []byte{99, 0, 0, 0}}
		if decode(d); !d.bad {
			t.Errorf("%s 99 was taken", name)
		}
	}
}

// TestDecoderBoundsAllocation claims long lists in short payloads.
func TestDecoderBoundsAllocation(t *testing.T) {
	huge := appendUint(nil, 1<<62)
	got := testing.AllocsPerRun(10, func() {
		for _, decode := range []func(*decoder){
			func(d *decoder) { d.strings() },
			func(d *decoder) { d.header() },
			func(d *decoder) { d.values() },
			func(d *decoder) { d.bytes() },
			func(d *decoder) { d.optional() },
			func(d *decoder) { list(d, minSession, (*decoder).session) },
		} {
			d := decoder{b: huge}
			decode(&d)
			if !d.bad {
				t.Fatal("2^62 elements in no bytes were taken")
			}
		}
	})
	if got > 20 {
		t.Errorf("%v allocations for what is not there", got)
	}
}

// decoders decode any payload and encode what they got.
var decoders = []func(d *decoder) (value any, encode func() []byte){
	func(d *decoder) (any, func() []byte) {
		v := d.event()
		return v, func() []byte {
			var body []byte
			if v.Request != nil {
				body, _ = readBody(v.Request.Body)
			}
			return appendEvent(nil, v, body)
		}
	},
	func(d *decoder) (any, func() []byte) {
		v := d.batch()
		return v, func() []byte { return appendBatch(nil, v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := list(d, minSession, (*decoder).session)
		return v, func() []byte {
			b := appendUint(nil, uint64(len(v)))
			for n := range v {
				if v[n].Request != nil {
					v[n].Request.Body = http.NoBody // is never carried
				}
				b = appendSession(b, &v[n])
			}
			return b
		}
	},
	func(d *decoder) (any, func() []byte) {
		v := d.wake()
		return v, func() []byte { return appendWake(nil, &v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := d.call()
		return v, func() []byte {
			var body []byte
			if v.Request != nil {
				body, _ = readBody(v.Request.Body)
			}
			return appendCall(nil, &v, body)
		}
	},
	func(d *decoder) (any, func() []byte) {
		v := d.result()
		return v, func() []byte {
			var body []byte
			if v.outcome.Pass != nil {
				body, _ = readBody(v.outcome.Pass.Body)
			}
			return appendResult(nil, v, body)
		}
	},
	func(d *decoder) (any, func() []byte) {
		v := d.info()
		return v, func() []byte { return appendInfo(nil, v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := d.init()
		return v, func() []byte { return appendInit(nil, &v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := d.storageRange()
		return v, func() []byte { return appendRange(nil, &v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := d.values()
		return v, func() []byte { return appendValues(nil, v) }
	},
	func(d *decoder) (any, func() []byte) {
		v := list(d, 2, (*decoder).entry)
		return v, func() []byte { return appendEntries(nil, v) }
	},
}

// FuzzDecoders feeds anything to every decoder: none may panic, and what one takes must
// come through another round trip unchanged.
func FuzzDecoders(f *testing.F) {
	for _, ev := range events() {
		f.Add(uint8(0), appendEvent(nil, ev, []byte("body")))
	}
	for _, batch := range batches() {
		f.Add(uint8(1), appendBatch(nil, batch))
	}
	s := link.Session{ID: 1, Tags: []string{"a"}, State: []byte("s"), Request: plainRequest()}
	f.Add(uint8(2), appendSession([]byte{1}, &s))
	f.Add(uint8(3), appendWake(nil, &link.Wake{Fence: 1}))
	f.Add(uint8(4), appendCall(nil, &link.Call{Kind: 1, Request: fullRequest()}, []byte("b")))
	f.Add(uint8(5), appendResult(nil, &result{outcome: link.Outcome{Pass: plainRequest()}, err: fs.ErrNotExist}, nil))
	f.Add(uint8(6), appendInfo(nil, testInfo()))
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		decode := decoders[int(which)%len(decoders)]
		d := &decoder{b: payload}
		first, encode := decode(d)
		if d.done() != nil {
			return
		}
		d = &decoder{b: encode()}
		second, _ := decode(d)
		if err := d.done(); err != nil {
			t.Fatalf("%+v could not be decoded again: %v", first, err)
		}
		if diff := cmp.Diff(second, first, alike, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("second round trip (-got +want):\n%s", diff)
		}
	})
}
