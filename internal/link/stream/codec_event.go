package stream

import (
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// The fields of an event that are there.
const (
	eventBinary = 1 << iota
	eventClean
	eventCode
	eventSession
	eventData
	eventReason
	eventConn
	eventURI
	eventAt
	eventAttempt
	eventRequest
	eventDeaths
	eventEngine
)

func present(flag uint64, is bool) uint64 {
	if is {
		return flag
	}
	return 0
}

// appendEvent carries all of an event but Yielded. body is its request's.
func appendEvent(b []byte, ev *link.Event, body []byte) []byte {
	flags := present(eventBinary, ev.Binary) | present(eventClean, ev.Clean) | present(eventCode, ev.Code != 0) |
		present(eventSession, ev.Session != 0) | present(eventData, ev.Data != "") | present(eventReason, ev.Reason != "") |
		present(eventConn, ev.Conn != "") | present(eventURI, ev.URI != "") | present(eventAt, !ev.At.IsZero()) |
		present(eventAttempt, ev.Attempt != 0) | present(eventRequest, ev.Request != nil) | present(eventDeaths, ev.Deaths != 0) |
		present(eventEngine, ev.Engine)
	b = append(b, byte(ev.Kind))
	b = appendUint(appendUint(b, flags), ev.Seq)
	if flags&eventCode != 0 {
		b = appendInt(b, int64(ev.Code))
	}
	if flags&eventSession != 0 {
		b = appendUint(b, uint64(ev.Session))
	}
	if flags&eventData != 0 {
		b = appendString(b, ev.Data)
	}
	if flags&eventReason != 0 {
		b = appendString(b, ev.Reason)
	}
	if flags&eventConn != 0 {
		b = appendString(b, ev.Conn)
	}
	if flags&eventURI != 0 {
		b = appendString(b, ev.URI)
	}
	if flags&eventAt != 0 {
		b = appendTime(b, ev.At)
	}
	if flags&eventAttempt != 0 {
		b = appendInt(b, int64(ev.Attempt))
	}
	if flags&eventRequest != 0 {
		b = appendRequest(b, ev.Request, body)
	}
	if flags&eventDeaths != 0 {
		b = appendInt(b, int64(ev.Deaths))
	}
	return b
}

func (d *decoder) event() *link.Event {
	ev := &link.Event{Kind: link.Kind(d.byte())}
	if ev.Kind > link.Alarm {
		d.fail()
	}
	flags := d.uint()
	ev.Seq = d.uint()
	ev.Binary = flags&eventBinary != 0
	ev.Clean = flags&eventClean != 0
	ev.Engine = flags&eventEngine != 0
	if flags&eventCode != 0 {
		ev.Code = int(d.int())
	}
	if flags&eventSession != 0 {
		ev.Session = link.SessionID(d.uint())
	}
	if flags&eventData != 0 {
		ev.Data = d.string()
	}
	if flags&eventReason != 0 {
		ev.Reason = d.string()
	}
	if flags&eventConn != 0 {
		ev.Conn = d.string()
	}
	if flags&eventURI != 0 {
		ev.URI = d.string()
	}
	if flags&eventAt != 0 {
		ev.At = d.time()
	}
	if flags&eventAttempt != 0 {
		ev.Attempt = int(d.int())
	}
	if flags&eventRequest != 0 {
		ev.Request = d.request()
	}
	if flags&eventDeaths != 0 {
		ev.Deaths = int(d.int())
	}
	return ev
}

// The fields of a session that are there.
const (
	sessionClosing = 1 << iota
	sessionRequest
	sessionEngine
)

func appendSession(b []byte, s *link.Session) []byte {
	flags := present(sessionClosing, s.Closing) | present(sessionRequest, s.Request != nil) | present(sessionEngine, s.Engine)
	b = appendUint(appendUint(b, flags), uint64(s.ID))
	b = appendString(b, s.Conn)
	b = appendString(b, s.URI)
	b = appendStrings(b, s.Tags)
	b = appendOptional(b, s.State)
	if s.Request != nil {
		b = appendRequest(b, s.Request, nil)
	}
	return b
}

func (d *decoder) session() link.Session {
	flags := d.uint()
	s := link.Session{
		ID: link.SessionID(d.uint()), Conn: d.string(), URI: d.string(), Tags: d.strings(), State: d.optional(),
		Closing: flags&sessionClosing != 0, Engine: flags&sessionEngine != 0,
	}
	if flags&sessionRequest != 0 {
		s.Request = d.request()
	}
	return s
}

// minSession is the least that an encoded session takes.
const minSession = 6

func appendRoom(b []byte, r storage.Room) []byte {
	return appendString(appendString(b, r.Party), r.Name)
}

func (d *decoder) room() storage.Room { return storage.Room{Party: d.string(), Name: d.string()} }

// appendWake carries all of a wake but its sessions and its seat.
func appendWake(b []byte, w *link.Wake) []byte {
	b = appendRoom(b, w.Room)
	b = appendUint(b, uint64(w.Fence))
	return appendString(appendBool(appendTime(b, w.Alarm), w.Empty), w.Kept)
}

func (d *decoder) wake() link.Wake {
	return link.Wake{Room: d.room(), Fence: storage.Fence(d.uint()), Alarm: d.time(), Empty: d.bool(), Kept: d.string()}
}

func (d *decoder) duration() time.Duration { return time.Duration(d.int()) }
