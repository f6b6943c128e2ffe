package party

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// handle runs the callback that an event is for.
func (i *instance) handle(t *turn) {
	switch ev := t.ev; ev.Kind {
	case link.Message:
		i.message(ev)
	case link.Open:
		i.open(ev)
	case link.Close:
		i.close(ev)
	case link.Request:
		i.request(ev)
	case link.Alarm:
		i.alarmDue(t)
	}
}

func (i *instance) message(ev *link.Event) {
	c := i.sessions[ev.Session]
	if c == nil || c.closed || c.shut.Load() { // what a client says after the room has closed it is not heard
		return
	}
	msg := Message{data: ev.Data, binary: ev.Binary}
	if c.inbox != nil {
		if c.inbox.add(msg) {
			ev.Yielded = nil // nobody reads on for the client
			i.await(i.ctx, func(ctx context.Context) error { c.inbox.wait(ctx); return nil })
		}
		return
	}
	if c.apart {
		if err := i.protect(func() error { return i.hooks.Engine.EngineMessage(i.ctx, c, msg) }); err != nil {
			i.connError("EngineMessage", c, err)
		}
		return
	}
	if len(i.def.Messages) > 0 {
		i.takeTyped(c, msg)
		return
	}
	h := i.hooks.Message
	if h == nil {
		return
	}
	if err := i.protect(func() error { return h.OnMessage(i.ctx, c, msg) }); err != nil {
		i.connError("OnMessage", c, err)
	}
}

// connError hands what a callback of a connection failed with to OnError.
func (i *instance) connError(where string, c *Conn, err error) {
	h := i.hooks.Error
	if h == nil {
		i.exception(where, err)
		return
	}
	i.logError(where, err)
	if err := i.protect(func() error { h.OnError(i.ctx, c, err); return nil }); err != nil {
		i.exception("OnError", err)
	}
}

func (i *instance) open(ev *link.Event) {
	c := &Conn{i: i, session: ev.Session, id: ev.Conn, uri: ev.URI, tags: []string{ev.Conn}}
	// The connection is not a member yet; its state is kept when it becomes one.
	if i.sessions[ev.Session] != nil {
		i.forget(ev.Session) // opened again after a crash that interrupted OnConnect
	}
	ctx := ev.Request.Context()
	if ev.Engine && i.hooks.Engine != nil {
		i.openEngine(ctx, c, ev.Request)
		return
	}
	if h := i.hooks.Tags; h != nil {
		err := i.protect(func() (err error) {
			tags, err := h.ConnectionTags(ctx, c, ev.Request)
			if err == nil {
				c.tags, err = checkTags(c.id, tags)
			}
			return err
		})
		if err != nil {
			i.refuse(c, "ConnectionTags", err)
			return
		}
	}
	i.emit(link.Effect{Op: link.Join, Session: c.session, Tags: c.tags})
	i.join(c)
	if err := i.connect(ctx, c, ev.Request); err != nil {
		i.refuse(c, "OnConnect", err)
		return
	}
	i.emit(link.Effect{Op: link.Accept, Session: c.session})
}

func (i *instance) connect(ctx context.Context, c *Conn, r *http.Request) error {
	h := i.hooks.Connect
	if h == nil {
		return nil
	}
	return i.protect(func() error { return h.OnConnect(ctx, c, r) })
}

// refuse closes a connection that OnConnect did not let in, and leaves no trace of it.
func (i *instance) refuse(c *Conn, where string, err error) {
	code, reason := 1011, err.Error()
	var ce *CloseError
	var pe *PanicError
	switch {
	case errors.As(err, &ce):
		code, reason = ce.Code, ce.Reason
	case errors.As(err, &pe):
		reason = "internal error"
		i.exception(where, err)
	default:
		i.logger().Info("connection refused", "conn", c.id, "err", err)
	}
	i.emit(link.Effect{Op: link.Shut, Final: true, Session: c.session, Code: sendableCode(code), Data: cutReason(reason)})
	i.unlist(c)
	i.forget(c.session)
}

func (i *instance) close(ev *link.Event) {
	c := i.sessions[ev.Session]
	if c == nil {
		return
	}
	i.unlist(c)
	if c.inbox != nil {
		c.inbox.close()
	}
	if c.apart {
		e := CloseEvent{Code: ev.Code, Reason: ev.Reason, Clean: ev.Clean}
		if err := i.protect(func() error { i.hooks.Engine.EngineClose(i.ctx, c, e); return nil }); err != nil {
			i.connError("EngineClose", c, err)
		}
		i.forget(ev.Session)
		return
	}
	if h := i.hooks.Close; h != nil {
		e := CloseEvent{Code: ev.Code, Reason: ev.Reason, Clean: ev.Clean}
		if err := i.protect(func() error { h.OnClose(i.ctx, c, e); return nil }); err != nil {
			i.connError("OnClose", c, err)
		}
	}
	i.forget(ev.Session)
}

func (i *instance) request(ev *link.Event) {
	if ev.Invocation != nil {
		i.invoked(ev)
		return
	}
	if method := ev.Request.Header.Get(rpcHeader); method != "" {
		i.call(ev, method)
		return
	}
	if m := i.publicMethod(ev.Request); m != nil {
		i.callPublic(ev, m)
		return
	}
	h := i.hooks.Request
	if h == nil {
		i.respondError(ev.Seq, http.StatusNotFound, "Not implemented\n")
		return
	}
	w := &response{i: i, seq: ev.Seq}
	err := i.protect(func() error { h.OnRequest(w, ev.Request); return nil })
	if err != nil {
		id := rand.Text()
		w.fail(id, err)
		i.exception("OnRequest", fmt.Errorf("request %s: %w", id, err))
		return
	}
	w.finish()
}

// alarmRetries is how often a failed OnAlarm is tried again.
const alarmRetries = 6

// alarmDue runs OnAlarm. The alarm is removed with the commit of the turn's
// end, so a crash before it repeats the turn.
func (i *instance) alarmDue(t *turn) {
	w := &i.writes
	if !w.at.Equal(t.ev.At) {
		return // changed since
	}
	w.at, w.alarm = time.Time{}, clearLater
	h := i.hooks.Alarm
	if h == nil {
		i.logger().Warn("an alarm was due, but the room type has no OnAlarm")
		w.settleAlarm()
		return
	}
	err := i.protect(func() error { return h.OnAlarm(i.ctx) })
	if err == nil {
		w.settleAlarm()
		return
	}
	switch {
	case w.alarm != clearLater: // a new one was set
	case t.ev.Attempt >= alarmRetries:
		i.logger().Error("OnAlarm has failed too often, the alarm is given up", "attempts", t.ev.Attempt+1)
		w.settleAlarm()
	default:
		w.at, w.alarm = t.ev.At, keepAlarm
		i.emit(link.Effect{Op: link.AlarmFailed})
	}
	i.exception("OnAlarm", err)
}
