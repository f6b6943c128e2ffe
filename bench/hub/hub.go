package main

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// hub knows the rooms.
type hub struct {
	log *appendLog

	mu    sync.Mutex
	rooms map[string]*room
}

// room is one room: its members and what was stored in it.
type room struct {
	key      string
	requests atomic.Int64

	mu      sync.Mutex // guards what follows
	members []*client
	values  map[string][]byte
}

// client is one socket. mu makes the writes of several goroutines one after the other.
type client struct {
	mu sync.Mutex
	ws *websocket.Conn
	at int // place in room.members
}

func (h *hub) room(key string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[key]
	if r == nil {
		r = &room{key: key}
		h.rooms[key] = r
	}
	return r
}

var writePool sync.Pool

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &writePool}

func (h *hub) connect(w http.ResponseWriter, r *http.Request, party string, room *room) {
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{ws: ws}
	room.join(c)
	go func() { // the handler's stack and buffers are not kept
		h.serve(party, room, c)
		room.leave(c)
		ws.Close()
	}()
}

var payloads = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 4096)) }}

// serve reads until the socket ends.
func (h *hub) serve(party string, room *room, c *client) {
	for {
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return
		}
		buf := payloads.Get().(*bytes.Buffer)
		buf.Reset()
		if _, err = io.Copy(buf, r); err == nil {
			err = h.handle(party, room, c, kind, buf.Bytes())
		}
		payloads.Put(buf)
		if err != nil {
			return
		}
	}
}

// handle does with one message what the party is for. data is valid during the call.
func (h *hub) handle(party string, room *room, c *client, kind int, data []byte) error {
	switch party {
	case "echo":
		return c.write(kind, data)
	case "relay":
		return room.broadcast(kind, data)
	case "ledger":
		room.put(h.log, c, bytes.Clone(data))
	}
	return nil
}

func (c *client) write(kind int, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws.WriteMessage(kind, data)
}

// broadcast prepares the frame once and writes it to every member.
func (r *room) broadcast(kind int, data []byte) error {
	m, err := websocket.NewPreparedMessage(kind, data)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.members {
		c.mu.Lock()
		c.ws.WritePreparedMessage(m) // if it fails, the reader notices
		c.mu.Unlock()
	}
	return nil
}

// put stores "key value" and acknowledges when it is on disk.
func (r *room) put(log *appendLog, c *client, data []byte) {
	key, value, _ := bytes.Cut(data, []byte(" "))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = make(map[string][]byte)
	}
	r.values[string(key)] = value
	log.append(r.key, data, func() { c.write(websocket.TextMessage, data) })
}

func (r *room) join(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.at = len(r.members)
	r.members = append(r.members, c)
}

func (r *room) leave(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.members) - 1
	r.members[c.at] = r.members[last]
	r.members[c.at].at = c.at
	r.members = r.members[:last]
}
