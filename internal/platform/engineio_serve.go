package platform

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// matchEngine finds the room that a URL addresses for Engine.IO: by a path at
// the root that is mounted, or by the room's own URL. ok is false if the URL is none of these.
func (p *Platform) matchEngine(rt *routes, path string) (party link.Party, key storage.Room, ok bool) {
	if !rt.engines {
		return
	}
	for _, party := range rt.info.Parties {
		if e := party.Engine; e != nil && e.Mount != "" && below(path, e.Mount) {
			return party, storage.Room{Party: party.Name, Name: e.MountRoom}, true
		}
	}
	party, key, err := p.match(rt, path)
	if err != nil || key.Party == "" || party.Engine == nil {
		return party, key, false
	}
	return party, key, below(p.subPath(path), party.Engine.Path)
}

// below reports whether path is the prefix, which ends in a slash, with or without that slash, or
// anything behind it.
func below(path, prefix string) bool {
	return strings.HasPrefix(path, prefix) || path == strings.TrimSuffix(prefix, "/")
}

// subPath is what follows the room in a room's URL, with its slash.
func (p *Platform) subPath(path string) string {
	rest, segments := path, strings.Count(p.opts.Prefix, "/")+3
	if strings.HasPrefix(path, "/party/") {
		segments = 2
	}
	for range segments {
		n := strings.IndexByte(strings.TrimPrefix(rest, "/"), '/')
		if n < 0 {
			return ""
		}
		rest = rest[n+1:]
	}
	return rest
}

// serveEngine answers an Engine.IO request or upgrade.
func (p *Platform) serveEngine(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room) {
	e, q, upgrade := party.Engine, r.URL.Query(), isUpgrade(r)
	if e.CORS != nil && !upgrade && engineCORS(w, r, e.CORS) {
		return
	}
	transport := q.Get("transport")
	switch {
	case transport == "polling" && e.Polling:
	case transport == "websocket" && e.WebSocket:
	default:
		refuseEngine(w, engineUnknownTransport)
		return
	}
	if q.Get("EIO") != "4" {
		refuseEngine(w, engineBadVersion)
		return
	}
	sid := q.Get("sid")
	if sid == "" {
		p.openEngine(w, r, party, key, upgrade)
		return
	}
	g := p.engineOf(sid)
	switch {
	case g == nil || g.s.room.key != key:
		refuseEngine(w, engineUnknownSession)
	case upgrade != (transport == "websocket"), upgrade && g.o.NoUpgrade:
		refuseEngine(w, engineBadRequest)
	case upgrade:
		if p.handshakeOK(w, r) {
			p.takeOver(w, r, g)
		}
	case r.Method == http.MethodGet:
		addHeaders(w, g.header)
		g.get(w, r)
	case r.Method == http.MethodPost:
		addHeaders(w, g.header)
		g.post(w, r)
	default:
		refuseEngine(w, engineBadMethod)
	}
}

// openEngine begins a session.
func (p *Platform) openEngine(w http.ResponseWriter, r *http.Request, party link.Party, key storage.Room, upgrade bool) {
	switch {
	case r.Method != http.MethodGet:
		refuseEngine(w, engineBadMethod)
		return
	case upgrade != (r.URL.Query().Get("transport") == "websocket"):
		refuseEngine(w, engineBadRequest)
		return
	case upgrade && !p.handshakeOK(w, r):
		return
	case upgrade && !p.originAllowed(r) && !originListed(party.Engine.CORS, r.Header.Get("Origin")):
		forbidEngine(w, http.StatusForbidden, "Origin not allowed")
		return
	}
	if party.BeforeConnect {
		out, err := p.call(link.Call{Kind: link.CallBeforeConnect, Room: key, Request: r}, w, r)
		switch {
		case err != nil:
			p.fail(w, r, err)
			return
		case out.Answered:
			return
		case out.Forward != nil:
			p.forward(w, out.Pass, *out.Forward)
			return
		}
		r = out.Pass
	}
	if p.connections.Add(1) > int64(p.limits.Connections) {
		p.connections.Add(-1)
		p.overloaded(w, "too many connections\n")
		return
	}
	g := &engine{sid: newSID(), o: party.Engine}
	g.s = &session{
		id:   link.SessionID(p.sessionSeq.Add(1)),
		room: p.room(key, party), conn: g.sid, uri: fullURL(r), request: condense(r),
		member: -1, decided: make(chan struct{}), engine: g,
	}
	g.s.out.limit = p.limits.SendQueueBytes
	if upgrade {
		p.connectSocket(w, r, g)
		return
	}
	p.connectPolling(w, r, g)
}

// admitEngine lets the room decide about a session, and answers if it is not let
// in. It returns the headers of the handshake's response.
func (p *Platform) admitEngine(w http.ResponseWriter, r *http.Request, g *engine) (http.Header, bool) {
	s, room := g.s, g.s.room
	ev := &link.Event{
		Kind: link.Open, Seq: room.seq.Add(1), Session: s.id, Conn: s.conn, URI: s.uri, Engine: true,
		Request: stored(r),
	}
	s.openSeq = ev.Seq
	err := room.admit(r.Context(), s, ev)
	if err == nil && s.verdict.status == 0 {
		p.addSession(s)
		s.seen()
		header := g.header.Clone()
		if header == nil {
			header = make(http.Header)
		}
		for k, v := range s.verdict.header {
			header[k] = append(header[k], v...)
		}
		if c := g.o.Cookie; c != nil {
			c := *c
			c.Value = g.sid
			header.Add("Set-Cookie", c.String())
		}
		return header, true
	}
	room.mu.Lock()
	delete(room.tracked, s.openSeq)
	room.drop(s)
	room.mu.Unlock()
	p.connections.Add(-1)
	room.unuse()
	switch {
	case err != nil:
		p.fail(w, r, err)
	case s.verdict.status == http.StatusForbidden:
		forbidEngine(w, s.verdict.status, s.verdict.text)
	default:
		p.refuse(w, s.verdict.status, s.verdict.text)
	}
	return nil, false
}

// newSID makes a session's id: 20 characters that nobody can guess.
func newSID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
