package party

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Tick is one run of a cron function.
type Tick struct {
	Name string
	At   time.Time // when it was due
}

// Call implements link.Host: it runs a function outside rooms.
func (h *Host) Call(ctx context.Context, c link.Call, w http.ResponseWriter) (out link.Outcome, err error) {
	cw := &callWriter{ResponseWriter: w}
	lobby := &Lobby{host: h, up: c.Lobby, target: c.Room}
	defer func() {
		v := recover()
		switch {
		case v == nil:
		case v == http.ErrAbortHandler:
			panic(v)
		case c.Kind == link.CallCron:
			err = &PanicError{Value: v, Stack: debug.Stack()}
		default:
			h.callFailed(cw, &PanicError{Value: v, Stack: debug.Stack()})
			out, err = link.Outcome{Answered: true}, nil
		}
	}()
	switch c.Kind {
	case link.CallFetch:
		h.app.Fetch(cw, c.Request, lobby)
		if cw.forward != nil {
			return *cw.forward, nil
		}
		return link.Outcome{Answered: cw.wrote}, nil
	case link.CallBeforeConnect:
		return h.before(h.app.BeforeConnect, c, cw, lobby)
	case link.CallBeforeRequest:
		return h.before(h.app.BeforeRequest, c, cw, lobby)
	case link.CallCron:
		return link.Outcome{}, h.cron(ctx, c, lobby)
	}
	return link.Outcome{}, fmt.Errorf("unknown call %d", c.Kind)
}

func (h *Host) before(hooks []BeforeHook, c link.Call, w *callWriter, lobby *Lobby) (link.Outcome, error) {
	hook := h.hook(hooks, c.Room.Party)
	if hook == nil {
		return link.Outcome{Pass: c.Request}, nil
	}
	r, err := hook.Func(w, c.Request, lobby)
	var reject *RejectError
	switch {
	case w.wrote:
		return link.Outcome{Answered: true}, nil
	case errors.As(err, &reject):
		http.Error(w, reject.Text, reject.Status)
		return link.Outcome{Answered: true}, nil
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return link.Outcome{Answered: true}, nil
	case w.forward != nil:
		return *w.forward, nil
	case r == nil:
		h.callFailed(w, errors.New("a before hook returned neither a request nor an error, and wrote no response"))
		return link.Outcome{Answered: true}, nil
	}
	return link.Outcome{Pass: r}, nil
}

func (h *Host) cron(ctx context.Context, c link.Call, lobby *Lobby) error {
	for _, hook := range h.app.Crons {
		if hook.Name == c.Cron {
			return hook.Func(ctx, Tick{Name: c.Cron, At: c.At}, lobby)
		}
	}
	return fmt.Errorf("there is no cron function %q", c.Cron)
}

func (h *Host) callFailed(w *callWriter, err error) {
	id := rand.Text()
	args := []any{"request", id, "err", err}
	var p *PanicError
	if errors.As(err, &p) {
		args = append(args, "stack", string(p.Stack))
	}
	h.log.Error("function outside rooms failed", args...)
	if !w.wrote {
		w.Header().Set(requestID, id)
		http.Error(w, h.errorText(id, err), http.StatusInternalServerError)
	}
}

// callWriter notices whether a function answered, and how.
type callWriter struct {
	http.ResponseWriter
	wrote   bool
	forward *link.Outcome
}

func (w *callWriter) WriteHeader(status int) {
	w.wrote = w.wrote || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *callWriter) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

func (w *callWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		w.wrote = true
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *callWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
