package stream

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
)

// call is a function outside rooms that runs in the host.
type call struct {
	lobby link.Lobby
	parts *inbox[part]
}

// part is a piece of what a call answers.
type part struct {
	status int // not 0: of a head
	header http.Header
	data   []byte
	flush  bool
	end    *result
}

// Call implements link.Host. The body of the request is read before anything is sent, and is
// there again afterwards.
func (h *Host) Call(ctx context.Context, c link.Call, w http.ResponseWriter) (link.Outcome, error) {
	var body []byte
	if c.Request != nil {
		var err error
		if body, err = readBody(c.Request.Body); err != nil {
			return link.Outcome{}, err
		}
		c.Request.Body = newBody(body)
	}
	id, running, err := h.enlist(c.Lobby)
	if err != nil {
		return link.Outcome{}, err
	}
	defer h.delist(id)
	if err := h.w.end(appendCall(appendUint(h.w.begin(kindCall), id), &c, body)); err != nil {
		return link.Outcome{}, fmt.Errorf("call a function in the host: %w", h.orGone(err))
	}
	end := func() { h.endCall(id) }
	defer context.AfterFunc(ctx, end)()
	if c.Request != nil {
		defer context.AfterFunc(c.Request.Context(), end)()
	}
	h.w.flush()
	for {
		p, ok := running.parts.take(h.done, nil)
		switch {
		case !ok:
			return link.Outcome{}, fmt.Errorf("call a function in the host: %w", link.ErrHostGone)
		case p.end != nil:
			return p.end.settle(c.Request, body)
		}
		h.pass(id, p, w)
	}
}

// orGone keeps the error of a frame that is too large; any other means that the stream has ended.
func (h *Host) orGone(err error) error {
	if _, tooLarge := err.(sizeError); tooLarge {
		return err
	}
	return link.ErrHostGone
}

// pass writes a part of the response. That the client is gone shows in the context, not here.
func (h *Host) pass(id uint64, p part, w http.ResponseWriter) {
	if p.status != 0 {
		maps.Copy(w.Header(), p.header)
		w.WriteHeader(p.status)
		if p.status < 200 {
			for k := range p.header {
				w.Header().Del(k) // an informational response; the next head says what stays
			}
		}
	}
	if len(p.data) > 0 {
		w.Write(p.data)
		h.w.end(appendUint(appendUint(h.w.begin(kindCredit), id), uint64(len(p.data))))
		h.w.flush()
	}
	if p.flush {
		http.NewResponseController(w).Flush()
	}
}

// settle turns what the host reported into what Call returns. The request that
// goes on keeps what only this process knows of it: its context, TLS.
func (r *result) settle(original *http.Request, body []byte) (link.Outcome, error) {
	if r.aborted {
		panic(http.ErrAbortHandler)
	}
	if changed := r.outcome.Pass; changed != nil && original != nil {
		if r.sameBody {
			changed.Body = newBody(body)
		}
		pass := original.WithContext(original.Context())
		pass.Method, pass.URL, pass.Header = changed.Method, changed.URL, changed.Header
		pass.Proto, pass.ProtoMajor, pass.ProtoMinor = changed.Proto, changed.ProtoMajor, changed.ProtoMinor
		pass.Host, pass.RemoteAddr, pass.RequestURI = changed.Host, changed.RemoteAddr, changed.RequestURI
		pass.ContentLength, pass.Body = changed.ContentLength, changed.Body
		r.outcome.Pass = pass
	}
	return r.outcome, r.err
}

func (h *Host) enlist(lobby link.Lobby) (uint64, *call, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining || h.rooms == nil {
		return 0, nil, link.ErrHostGone
	}
	h.last++
	c := &call{lobby: lobby, parts: newInbox[part]()}
	h.calls[h.last] = c
	if lobby != nil {
		h.lobby = lobby
	}
	return h.last, c, nil
}

func (h *Host) delist(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.calls, id)
	if h.idle != nil && len(h.calls) == 0 {
		close(h.idle)
	}
}

// endCall ends the context of a call.
func (h *Host) endCall(id uint64) {
	h.w.end(appendUint(h.w.begin(kindCallEnd), id))
	h.w.kick()
}

// answered takes a part of what a call answers from the reader.
func (h *Host) answered(k kind, id uint64, d *decoder) error {
	var p part
	switch k {
	case kindHead:
		p.status, p.header = int(d.int()), d.header()
		if p.status < 100 || p.status > 999 {
			d.fail() // net/http would panic
		}
	case kindChunk:
		p.flush, p.data = d.bool(), d.bytes()
	case kindReturn:
		p.end = d.result()
	}
	if err := d.done(); err != nil {
		return err
	}
	h.mu.Lock()
	c := h.calls[id]
	h.mu.Unlock()
	if c != nil {
		c.parts.put(p)
	}
	return nil
}
