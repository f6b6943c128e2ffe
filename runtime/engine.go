package party

import (
	"context"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
)

// EngineOptions say how the rooms of a party speak Engine.IO. Package socketio fills them in.
type EngineOptions = link.Engine

// EngineCORS says which pages may use Engine.IO over HTTP.
type EngineCORS = link.EngineCORS

// EngineHandler takes the connections of a room whose clients speak Engine.IO,
// in place of the room type's own callbacks: they are not among Connections, and
// a broadcast reaches them only through [Only]. Package socketio has one. Without
// a handler such a connection is like any other: Engine.IO is just the way it came.
//
// All methods run in turns of the room.
type EngineHandler interface {
	// EngineStart follows OnStart, before anything is delivered. kept is what
	// an earlier instance returned from EngineLeave; it may be gone.
	EngineStart(ctx context.Context, kept string) error
	// EngineOpen is called for a new connection, and again, resumed, for each one that was open
	// before this instance. An error refuses a new one with 403 and the error's text, and
	// closes a resumed one. The answer is of use for a new one only.
	EngineOpen(ctx context.Context, conn *Conn, r *http.Request) (EngineAnswer, error)
	// EngineMessage is called for each message.
	EngineMessage(ctx context.Context, conn *Conn, msg Message) error
	// EngineClose is called once when a connection is gone. ev.Reason is "transport close", "transport error", "ping
	// timeout", "parse error", "server shutting down" or "forced close", which is the room's own doing.
	EngineClose(ctx context.Context, conn *Conn, ev CloseEvent)
	// EngineFlush is called before what a part of a turn did leaves, so that
	// state can be set once for all of it.
	EngineFlush()
	// EngineLeave is called before this instance ends, perhaps several times. What
	// it returns is held in memory for the next instance for at most seconds, up to 4 MiB.
	EngineLeave() (keep string, seconds int)
}

// EngineAnswer is what the room adds to HTTP responses of a connection.
type EngineAnswer struct {
	Handshake http.Header // on the response to the handshake
	Every     http.Header // on every response, that one included
}

func (i *instance) engineOpen(ctx context.Context, c *Conn, r *http.Request) (a EngineAnswer, err error) {
	err = i.protect(func() error {
		a, err = i.hooks.Engine.EngineOpen(ctx, c, r)
		return err
	})
	return a, err
}

// openEngine lets a new connection in, or not.
func (i *instance) openEngine(ctx context.Context, c *Conn, r *http.Request) {
	i.emit(link.Effect{Op: link.Join, Final: true, Session: c.session, Tags: c.tags})
	i.joinApart(c)
	a, err := i.engineOpen(ctx, c, r)
	if err != nil {
		i.logger().Info("connection refused", "conn", c.id, "err", err)
		i.emit(link.Effect{Op: link.Deny, Session: c.session, Code: http.StatusForbidden, Data: err.Error()})
		i.forget(c.session)
		return
	}
	if len(a.Every) > 0 {
		i.emit(link.Effect{Op: link.Headers, Session: c.session, Header: a.Every})
	}
	i.emit(link.Effect{Op: link.Accept, Session: c.session, Header: a.Handshake})
}

// joinApart takes up a connection that only the engine handler knows.
func (i *instance) joinApart(c *Conn) {
	c.apart = true
	i.remember(c)
	i.apart++
}

// startEngine brings the handler up, and its connections.
func (i *instance) startEngine(kept string) error {
	h := i.hooks.Engine
	if h == nil {
		return nil
	}
	if err := i.protect(func() error { return h.EngineStart(i.ctx, kept) }); err != nil {
		return err
	}
	i.started = true // from here on the handler may flush
	for _, s := range i.resumed {
		c := i.sessions[s.ID]
		if c == nil || !c.apart || c.closed {
			continue
		}
		if _, err := i.engineOpen(i.ctx, c, s.Request); err != nil {
			i.connError("EngineOpen", c, err)
			i.emitClose(c, 1011, "the connection could not be taken up again")
		}
	}
	return nil
}

// unstartedKeep is how long what was kept is held on, in seconds, when an
// instance ends that never started: how much of its time was left is not known.
const unstartedKeep = 300

// leaveEngine tells the handler that the instance ends.
func (i *instance) leaveEngine() {
	h := i.hooks.Engine
	if h == nil || i.released {
		return
	}
	if !i.started {
		if i.kept != "" {
			i.emit(link.Effect{Op: link.Keep, Data: i.kept, Code: unstartedKeep})
		}
		return
	}
	keep, seconds := h.EngineLeave()
	if keep != "" {
		i.emit(link.Effect{Op: link.Keep, Data: keep, Code: seconds})
	}
}

// Only sends to exactly these open connections, those of an EngineHandler
// included. It may be kept and used again, as long as the list stays the same.
func Only(conns ...*Conn) BroadcastOption {
	ids := make(onlyOption, 0, len(conns))
	for _, c := range conns {
		if c != nil {
			ids = append(ids, c.session)
		}
	}
	return ids
}

type onlyOption []link.SessionID

func (o onlyOption) applyBroadcast(_ *instance, e *link.Effect) {
	e.Only = o
	if len(o) == 0 {
		e.Only = nobody
	}
}

// nobody is a list of no session: zero is never given out.
var nobody = []link.SessionID{0}

type lossyOption struct{}

func (lossyOption) applySend(e *link.Effect)                   { e.Lossy = true }
func (lossyOption) applyBroadcast(_ *instance, e *link.Effect) { e.Lossy = true }

// Lossy drops a message for clients that cannot take it at once: something
// still waits for them, or they are between two polls. It keeps its place in the order.
func Lossy() SendOption { return lossyOption{} }
