package socketio

import (
	"encoding/json"
	"slices"
	"time"
)

// Bounds of what is remembered for recovery, per namespace.
const (
	maxHistory      = 10_000
	maxHistoryBytes = 4 << 20
)

// history is what recovery needs in a namespace: the events of the last minutes, and
// the sockets whose connection broke.
type history struct {
	events   []past
	bytes    int
	sessions map[string]session // by private id
}

// past is an event that was sent.
type past struct {
	ID     string   `json:"i"`
	At     int64    `json:"t"` // ms
	Rooms  []string `json:"r,omitempty"`
	Except []string `json:"x,omitempty"`
	Text   string   `json:"d"`
	Parts  [][]byte `json:"b,omitempty"`
}

func (e *past) size() int {
	n := len(e.Text) + 100
	for _, p := range e.Parts {
		n += len(p)
	}
	return n
}

// session is a socket that may come back.
type session struct {
	ID    string          `json:"s"`
	Rooms []string        `json:"r,omitempty"` // its own included
	Data  json.RawMessage `json:"d,omitempty"`
	Until int64           `json:"u"` // ms
}

// recoverable are the reasons after which a socket may come back.
var recoverable = []string{"transport error", "transport close", "forced close", "ping timeout", "server shutting down", "forced server close"}

func (h *history) recoverable() bool { return len(h.sessions) > 0 }

// remember keeps an event for those who may miss it.
func (n *Namespace) remember(b *Broadcaster, id string, m outgoing) {
	h := &n.history
	e := past{ID: id, At: time.Now().UnixMilli(), Rooms: b.rooms, Except: b.except, Text: m.text, Parts: m.parts}
	if b.sender != nil {
		e.Except = append(slices.Clone(e.Except), b.sender.id)
	}
	h.events = append(h.events, e)
	h.bytes += e.size()
	h.trim(time.Now().Add(-n.server.opts.recovery.MaxDisconnectionDuration).UnixMilli())
}

// trim forgets what is too old or too much.
func (h *history) trim(oldest int64) {
	drop := 0
	for drop < len(h.events) && (h.events[drop].At < oldest || len(h.events)-drop > maxHistory || h.bytes > maxHistoryBytes) {
		h.bytes -= h.events[drop].size()
		h.events[drop] = past{}
		drop++
	}
	h.events = h.events[drop:]
}

// persist remembers a socket whose connection broke.
func (n *Namespace) persist(s *Socket, reason string) {
	r := n.server.opts.recovery
	if r == nil || !slices.Contains(recoverable, reason) {
		return
	}
	if n.history.sessions == nil {
		n.history.sessions = make(map[string]session)
	}
	n.history.sessions[s.pid] = session{
		ID: s.id, Rooms: s.Rooms(), Data: s.data, Until: time.Now().Add(r.MaxDisconnectionDuration).UnixMilli(),
	}
	n.server.pruneLater()
}

// recover gives a new socket what an earlier one had, if the client proves to be the same and nothing it missed
// has been forgotten.
func (n *Namespace) recover(s *Socket, auth Value) bool {
	var proof struct {
		PID    string `json:"pid"`
		Offset string `json:"offset"`
	}
	if auth.Decode(&proof) != nil || proof.PID == "" || proof.Offset == "" {
		return false
	}
	old, ok := n.history.sessions[proof.PID]
	if !ok || old.Until < time.Now().UnixMilli() {
		return false
	}
	last := slices.IndexFunc(n.history.events, func(e past) bool { return e.ID == proof.Offset })
	if last < 0 {
		return false
	}
	delete(n.history.sessions, proof.PID)
	for _, e := range n.history.events[last+1:] {
		if e.reaches(old.Rooms) {
			s.missed = append(s.missed, outgoing{e.Text, e.Parts})
		}
	}
	s.id, s.pid, s.data, s.recovered = old.ID, proof.PID, old.Data, true
	s.Join(old.Rooms...)
	return true
}

// reaches reports whether an event was for a socket with these rooms.
func (e *past) reaches(rooms []string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(rooms, func(r string) bool { return slices.Contains(list, r) })
	}
	return (len(e.Rooms) == 0 || in(e.Rooms)) && !in(e.Except)
}

// pruneLater forgets sockets that did not come back, in time. Until then the timer keeps the room in memory.
func (s *Server) pruneLater() {
	if s.prune != nil {
		return
	}
	s.prune = s.room.After(s.opts.recovery.MaxDisconnectionDuration+time.Second, func() {
		s.prune = nil
		now := time.Now().UnixMilli()
		for _, n := range s.namespaces {
			for pid, old := range n.history.sessions {
				if old.Until < now {
					delete(n.history.sessions, pid)
				}
			}
			n.history.trim(now - s.opts.recovery.MaxDisconnectionDuration.Milliseconds())
			if n.history.recoverable() {
				s.pruneLater()
			} else {
				n.dropIfEmpty()
			}
		}
	})
}
