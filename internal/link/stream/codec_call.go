package stream

import (
	"log/slog"

	"github.com/goparty-dev/party/internal/link"
)

func appendInit(b []byte, i *Init) []byte {
	b = appendOptional(b, i.Vars)
	b = appendBool(b, i.Dev)
	b = appendInt(b, int64(i.IdleAfter))
	return appendInt(b, int64(i.LogLevel))
}

func (d *decoder) init() Init {
	return Init{Vars: d.optional(), Dev: d.bool(), IdleAfter: d.duration(), LogLevel: slog.Level(d.int())}
}

const (
	partyMain = 1 << iota
	partyHibernate
	partyRequests
	partyBeforeConnect
	partyBeforeRequest
	partyEngine
)

func appendInfo(b []byte, i link.Info) []byte {
	b = appendUint(b, uint64(len(i.Parties)))
	for _, p := range i.Parties {
		flags := present(partyMain, p.Main) | present(partyHibernate, p.Hibernate) | present(partyRequests, p.Requests) |
			present(partyBeforeConnect, p.BeforeConnect) | present(partyBeforeRequest, p.BeforeRequest) |
			present(partyEngine, p.Engine != nil)
		b = appendUint(b, flags)
		b = appendString(appendString(b, p.Name), p.Type)
		if p.Engine != nil {
			b = appendEngine(b, p.Engine)
		}
	}
	b = appendBool(appendBool(b, i.Fetch), i.Socket)
	return appendStrings(b, i.Crons)
}

func (d *decoder) info() link.Info {
	return link.Info{
		Parties: list(d, 3, func(d *decoder) link.Party {
			flags := d.uint()
			p := link.Party{
				Name: d.string(), Type: d.string(),
				Main: flags&partyMain != 0, Hibernate: flags&partyHibernate != 0, Requests: flags&partyRequests != 0,
				BeforeConnect: flags&partyBeforeConnect != 0, BeforeRequest: flags&partyBeforeRequest != 0,
			}
			if flags&partyEngine != 0 {
				p.Engine = d.engine()
			}
			return p
		}),
		Fetch: d.bool(), Socket: d.bool(), Crons: d.strings(),
	}
}

// appendCall carries all of a call but its lobby. body is its request's.
func appendCall(b []byte, c *link.Call, body []byte) []byte {
	b = append(b, byte(c.Kind))
	b = appendRoom(b, c.Room)
	b = appendString(b, c.Cron)
	b = appendTime(b, c.At)
	b = appendBool(b, c.Request != nil)
	if c.Request != nil {
		b = appendRequest(b, c.Request, body)
	}
	return b
}

func (d *decoder) call() link.Call {
	c := link.Call{Kind: link.CallKind(d.byte()), Room: d.room(), Cron: d.string(), At: d.time()}
	if d.bool() {
		c.Request = d.request()
	}
	return c
}

// result is how a call ended.
type result struct {
	outcome link.Outcome
	// sameBody says that the body of outcome.Pass is that of the call's request, and is not carried.
	sameBody bool
	aborted  bool // the function panicked with http.ErrAbortHandler
	err      error
}

const (
	resultAnswered = 1 << iota
	resultPass
	resultSameBody
	resultForward
	resultAborted
)

// appendResult carries a result. body is that of outcome.Pass.
func appendResult(b []byte, r *result, body []byte) []byte {
	o := &r.outcome
	flags := present(resultAnswered, o.Answered) | present(resultPass, o.Pass != nil) | present(resultSameBody, r.sameBody) |
		present(resultForward, o.Forward != nil) | present(resultAborted, r.aborted)
	b = appendUint(b, flags)
	if o.Pass != nil {
		b = appendRequest(b, o.Pass, body)
	}
	if o.Forward != nil {
		b = appendRoom(b, *o.Forward)
	}
	return appendError(b, r.err)
}

func (d *decoder) result() *result {
	flags := d.uint()
	r := &result{sameBody: flags&resultSameBody != 0, aborted: flags&resultAborted != 0}
	r.outcome.Answered = flags&resultAnswered != 0
	if flags&resultPass != 0 {
		r.outcome.Pass = d.request()
	}
	if flags&resultForward != 0 {
		room := d.room()
		r.outcome.Forward = &room
	}
	r.err = d.error()
	return r
}
