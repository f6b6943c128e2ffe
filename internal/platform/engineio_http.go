package platform

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The errors of Engine.IO over HTTP, by their codes.
const (
	engineUnknownTransport = iota
	engineUnknownSession
	engineBadMethod
	engineBadRequest
	engineForbidden
	engineBadVersion
)

var engineErrors = [...]string{
	engineUnknownTransport: `{"code":0,"message":"Transport unknown"}`,
	engineUnknownSession:   `{"code":1,"message":"Session ID unknown"}`,
	engineBadMethod:        `{"code":2,"message":"Bad handshake method"}`,
	engineBadRequest:       `{"code":3,"message":"Bad request"}`,
	engineForbidden:        `{"code":4,"message":"Forbidden"}`,
	engineBadVersion:       `{"code":5,"message":"Unsupported protocol version"}`,
}

func refuseEngine(w http.ResponseWriter, code int) {
	writeEngine(w, http.StatusBadRequest, "application/json", engineErrors[code])
}

// forbidEngine answers for a handshake that the room does not want.
func forbidEngine(w http.ResponseWriter, status int, text string) {
	body := engineErrors[engineForbidden]
	if text != "" {
		if m, err := json.Marshal(text); err == nil {
			body = `{"code":4,"message":` + string(m) + `}`
		}
	}
	writeEngine(w, status, "application/json", body)
}

func writeEngine(w http.ResponseWriter, status int, kind, body string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

const plainText = "text/plain; charset=UTF-8"

func addHeaders(w http.ResponseWriter, more http.Header) {
	for k, v := range more {
		w.Header()[k] = v
	}
}

// openPacket tells the client about its session.
func (g *engine) openPacket(polling bool) packet {
	upgrades := []string{}
	if polling && g.o.WebSocket && !g.o.NoUpgrade {
		upgrades = append(upgrades, "websocket")
	}
	data, err := json.Marshal(struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int      `json:"maxPayload"`
	}{g.sid, upgrades, g.o.PingInterval.Milliseconds(), g.o.PingTimeout.Milliseconds(), g.o.MaxPayload})
	if err != nil {
		panic("platform: encode open packet: " + err.Error()) // plain data always can be
	}
	return packet{packetOpen, string(data)}
}

// connectPolling is the handshake of a session that begins with a GET.
func (p *Platform) connectPolling(w http.ResponseWriter, r *http.Request, g *engine) {
	header, ok := p.admitEngine(w, r, g)
	if !ok {
		return
	}
	addHeaders(w, header)
	p.register(g)
	writeEngine(w, http.StatusOK, plainText, string(appendPayload(nil, []packet{g.openPacket(true)})))
}

// get waits until there is something for the client.
func (g *engine) get(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	switch {
	case g.closed || g.late():
		g.mu.Unlock()
		refuseEngine(w, engineUnknownSession)
		return
	case g.ws:
		g.mu.Unlock()
		refuseEngine(w, engineBadRequest)
		return
	case g.poll != nil:
		g.mu.Unlock()
		g.finish(errTransport.Error()) // one poll at a time
		refuseEngine(w, engineBadRequest)
		return
	}
	mine := &poll{ready: make(chan struct{}, 2)}
	g.poll = mine
	switch {
	case g.closing && len(g.queue) == 0:
		g.queue = append(g.queue, packet{kind: packetNoop})
		g.wake()
	case g.probed:
		g.releasePoll()
	case len(g.queue) > 0:
		g.wake()
	}
	g.mu.Unlock()
	for {
		select {
		case <-mine.ready:
		case <-r.Context().Done():
			g.finish(errTransport.Error())
			return
		}
		g.mu.Lock()
		if g.poll != mine { // answered by somebody else
			g.mu.Unlock()
			kind := plainText
			if mine.status != http.StatusOK {
				kind = "application/json"
			}
			writeEngine(w, mine.status, kind, mine.text)
			return
		}
		packets, last := g.drain()
		if len(packets) == 0 {
			g.mu.Unlock()
			continue
		}
		g.poll = nil
		g.mu.Unlock()
		writeEngine(w, http.StatusOK, plainText, string(appendPayload(nil, packets)))
		if last {
			g.finish("forced close")
		}
		return
	}
}

// stray is how long a client's farewell waits for the poll that the client
// sent just before, on another connection.
const stray = 10 * time.Millisecond

// post takes packets from the client.
func (g *engine) post(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	refusal := -1
	switch {
	case g.closed:
		refusal = engineUnknownSession
	case g.ws:
		refusal = engineBadRequest
	}
	if busy := g.posting; refusal >= 0 || busy {
		g.mu.Unlock()
		if refusal < 0 {
			g.finish(errTransport.Error()) // one POST at a time
			refusal = engineBadRequest
		}
		refuseEngine(w, refusal)
		return
	}
	g.posting = true
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.posting = false
		g.mu.Unlock()
	}()
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(g.o.MaxPayload)+1))
	switch {
	case r.ContentLength > int64(g.o.MaxPayload) || len(body) > g.o.MaxPayload:
		w.Header().Set("Connection", "close")
		writeEngine(w, http.StatusRequestEntityTooLarge, plainText, "")
		return
	case err != nil:
		g.finish(errTransport.Error())
		refuseEngine(w, engineBadRequest)
		return
	}
	packets, err := parsePayload(string(body))
	if err != nil {
		g.finish(errParse.Error())
		refuseEngine(w, engineBadRequest)
		return
	}
	delivered := make(chan struct{})
	go g.receive(packets, delivered)
	<-delivered
	writeEngine(w, http.StatusOK, plainText, "ok")
}

// receive handles packets in order, and goes on elsewhere when a turn gives itself up.
func (g *engine) receive(packets []packet, done chan struct{}) {
	for n, p := range packets {
		switch p.kind {
		case packetPong:
			g.pong()
		case packetClose:
			g.farewell()
			close(done)
			return
		case packetMessage, packetBinary:
			handed := false
			g.deliver(p.data, p.kind == packetBinary, func() { handed = true; go g.receive(packets[n+1:], done) })
			if handed {
				return
			}
		}
	}
	close(done)
}

// farewell ends a session at its client's wish; the poll that waits gets a noop.
func (g *engine) farewell() {
	for until := time.Now().Add(stray); time.Now().Before(until); time.Sleep(time.Millisecond) {
		g.mu.Lock()
		polled := g.poll != nil || g.closed
		g.mu.Unlock()
		if polled {
			break
		}
	}
	g.end(errTransportClose.Error(), packetNoop)
}
