package platform

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// serve routes one request: to its room, else to the functions outside
// rooms and the assets, else to next, which may be nil.
func (p *Platform) serve(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	began := time.Now()
	w := &statusWriter{ResponseWriter: rw}
	r = p.proxies.believe(r)
	defer func() {
		took := time.Since(began)
		p.metrics.answered(w.code(), took)
		if f := p.observer.Request; f != nil {
			f(RequestInfo{ID: requestID(w), Method: r.Method, Path: r.URL.RequestURI(), Status: w.code(), Duration: took})
		}
	}()
	if p.closing.Load() {
		if !p.serveOthers(w, r, next) {
			p.overloaded(w, "the server is shutting down\n")
		}
		return
	}
	rt, err := p.routing(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	stripHeaders(r.Header)
	if party, key, ok := p.matchEngine(rt, r.URL.EscapedPath()); ok {
		p.serveEngine(w, r, party, key)
		return
	}
	party, key, err := p.match(rt, r.URL.EscapedPath())
	switch {
	case err != nil:
		p.fail(w, r, err)
	case key.Party == "":
		p.serveOutside(w, r, rt, next)
	default:
		p.serveRoom(w, r, party, key)
	}
}

// serveRoom answers a request or an upgrade addressed to a room from outside.
func (p *Platform) serveRoom(w *statusWriter, r *http.Request, party link.Party, key storage.Room) {
	upgrade := isUpgrade(r)
	if !upgrade && p.cors(w, r) {
		return
	}
	if upgrade && !p.originAllowed(r) {
		p.refuse(w, http.StatusForbidden, "origin not allowed: list it under \"origins\" in party.json\n")
		return
	}
	kind := link.CallBeforeRequest
	hooked := party.BeforeRequest
	if upgrade {
		kind, hooked = link.CallBeforeConnect, party.BeforeConnect
	}
	if hooked {
		r = p.buffered(w, r)
		if r == nil {
			return
		}
		out, err := p.call(link.Call{Kind: kind, Room: key, Request: r}, w, r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		if out.Answered {
			return
		}
		r = out.Pass
		if out.Forward != nil {
			p.forward(w, r, *out.Forward)
			return
		}
	}
	p.enter(w, r, party, key)
}

// forward hands a request or an upgrade to a room from inside: no hooks.
func (p *Platform) forward(w http.ResponseWriter, r *http.Request, key storage.Room) {
	rt, err := p.routing(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	party, ok := rt.parties[key.Party]
	if !ok {
		p.refuse(w, http.StatusNotFound, "party not found\n")
		return
	}
	p.enter(w, r, party, key)
}

func (p *Platform) enter(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room) {
	if isUpgrade(r) {
		p.connect(w, r, party, key)
		return
	}
	p.request(w, r, party, key)
}

// request lets a room answer an HTTP request.
func (p *Platform) request(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room) {
	if !party.Requests {
		p.refuse(w, http.StatusNotFound, "Not implemented\n")
		return
	}
	if r = p.buffered(w, r); r == nil {
		return
	}
	room := p.room(key, party)
	defer room.unuse()
	q := new(pending)
	ev := &link.Event{Kind: link.Request, Seq: room.seq.Add(1), Request: r}
	seq := ev.Seq
	room.mu.Lock()
	room.track(seq, tracked{request: q})
	room.mu.Unlock()
	// The turn runs on this goroutine. If it gives itself up, the response is written beside it, and
	// flushed, because a callback that is abandoned in an await may never return.
	var broken error
	var beside chan struct{}
	ev.Yielded = func() {
		room.queued.Add(-1)
		q.beside = true
		beside = make(chan struct{})
		go func() {
			defer close(beside)
			if broken = q.writeTo(r.Context(), w); broken == nil {
				http.NewResponseController(w).Flush()
			}
		}()
	}
	err := errOverloaded
	if room.queued.Add(1) <= int64(p.limits.RoomQueue) {
		err = room.deliver(r.Context(), ev)
	}
	if beside == nil {
		room.queued.Add(-1)
	}
	switch {
	case err != nil:
	case beside != nil:
		<-beside
	default:
		broken = q.writeTo(r.Context(), w)
	}
	if err == nil && broken == nil {
		return
	}
	room.mu.Lock()
	delete(room.tracked, seq)
	room.mu.Unlock()
	if broken != nil {
		panic(http.ErrAbortHandler) // whoever reads it must not take it for complete
	}
	if r.Context().Err() == nil {
		p.fail(w, r, err)
	}
}

// connect lets a room decide about an upgrade, and makes it a session.
func (p *Platform) connect(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room) {
	if !p.handshakeOK(w, r) {
		return
	}
	if p.connections.Add(1) > int64(p.limits.Connections) {
		p.connections.Add(-1)
		p.overloaded(w, "too many connections\n")
		return
	}
	room := p.room(key, party)
	s := &session{
		id:   link.SessionID(p.sessionSeq.Add(1)),
		room: room, conn: connID(r.URL.Query()), uri: fullURL(r), request: condense(r),
		member: -1, decided: make(chan struct{}),
	}
	s.out.limit = p.limits.SendQueueBytes
	ev := &link.Event{Kind: link.Open, Seq: room.seq.Add(1), Session: s.id, Conn: s.conn, URI: s.uri, Request: stored(r)}
	s.openSeq = ev.Seq
	err := room.admit(r.Context(), s, ev)
	if err != nil || s.verdict.status != 0 {
		room.mu.Lock()
		delete(room.tracked, s.openSeq)
		room.drop(s)
		room.mu.Unlock()
		p.connections.Add(-1)
		room.unuse()
		if err != nil {
			p.fail(w, r, err)
			return
		}
		p.refuse(w, s.verdict.status, s.verdict.text)
		return
	}
	p.addSession(s)
	if p.closing.Load() { // Shutdown may have listed the sessions already
		room.mu.Lock()
		s.shut(websocket.CloseServiceRestart, goingAway)
		room.mu.Unlock()
	}
	s.seen()
	if err := s.upgrade(w, r, nil, p.limits.MessageBytes); err != nil {
		room.socketGone(s, &link.Event{Kind: link.Close, Seq: room.seq.Add(1), Session: s.id, Code: websocket.CloseAbnormalClosure})
		p.log.Debug("upgrade failed", "party", key.Party, "room", key.Name, "conn", s.conn, "err", err)
		return
	}
	go s.read() // the handler's stack and buffers are not kept for the life of the socket
}

// admit adds a session that wants in and waits for the room's verdict.
func (r *room) admit(ctx context.Context, s *session, ev *link.Event) error {
	r.mu.Lock()
	if len(r.sessions) >= r.p.limits.RoomConnections {
		r.mu.Unlock()
		return errOverloaded
	}
	if r.sessions == nil {
		r.sessions = make(map[link.SessionID]*session)
	}
	r.sessions[s.id] = s
	r.track(s.openSeq, tracked{open: s})
	r.mu.Unlock()
	select {
	case err := <-r.deliverAside(ctx, ev):
		return err
	case <-s.decided:
		return nil
	}
}

// call runs a function outside rooms on the current host. If the host dies
// before anything was answered, the next one is asked.
func (p *Platform) call(c link.Call, w http.ResponseWriter, r *http.Request) (link.Outcome, error) {
	ctx := context.Context(p.ctx)
	if r != nil {
		ctx = r.Context()
	}
	c.Lobby = lobby{p}
	for deaths := 0; ; {
		h, err := p.waitHost(ctx)
		if err != nil {
			return link.Outcome{}, err
		}
		if r != nil {
			if b, ok := r.Body.(*body); ok {
				b.Seek(0, io.SeekStart) // a host that died may have read it
			}
		}
		out, err := h.Call(ctx, c, w)
		if !errors.Is(err, link.ErrHostGone) {
			return out, err
		}
		if deaths++; deaths >= maxDeaths {
			return link.Outcome{}, err
		}
	}
}

// buffered reads the request's body, so that it can be given to a room, and to
// another host if the first one dies. It answers 413 and returns nil if the body is too large.
func (p *Platform) buffered(w http.ResponseWriter, r *http.Request) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	if b, done := r.Body.(*body); done {
		b.Seek(0, io.SeekStart) // a hook may have read it
		return r
	}
	if r.ContentLength > p.limits.BodyBytes {
		p.tooLarge(w)
		return nil
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.limits.BodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		p.tooLarge(w)
		return nil
	case err != nil:
		p.refuse(w, http.StatusBadRequest, "the request's body could not be read\n")
		return nil
	}
	r.Body = &body{bytes.NewReader(data)}
	r.ContentLength = int64(len(data))
	return r
}

// body is a request's body that has been read.
type body struct{ *bytes.Reader }

func (*body) Close() error { return nil }

func (p *Platform) tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	p.refuse(w, http.StatusRequestEntityTooLarge, "request body is too large\n")
}

func (p *Platform) overloaded(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", "1")
	p.refuse(w, http.StatusServiceUnavailable, text)
}

func (p *Platform) refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	io.WriteString(w, text)
}

// fail answers for an error of routing or delivery.
func (p *Platform) fail(w http.ResponseWriter, r *http.Request, err error) {
	var bad *badRoute
	switch {
	case errors.As(err, &bad):
		p.refuse(w, bad.status, bad.text)
	case errors.Is(err, errOverloaded):
		p.overloaded(w, err.Error()+"\n")
	case errors.Is(err, ErrClosing), errors.Is(err, context.Canceled):
		p.overloaded(w, "the server is shutting down\n")
	default:
		id := rand.Text()
		w.Header().Set("X-Request-Id", id)
		p.log.Error("request failed", "request", id, "method", r.Method, "path", r.URL.Path, "err", err)
		p.refuse(w, http.StatusInternalServerError, "internal error, request "+id+"\n")
	}
}
