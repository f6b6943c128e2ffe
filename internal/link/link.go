// Package link is the contract between the platform, which owns sockets and
// files, and the host, which owns rooms and runs user code.
//
// Down the link go events; up come batches: the effects of one turn (or of
// the part of a turn between two awaits), in order, with the event they
// consumed. In production both ends are in one process and these interfaces
// are plain function calls; package stream carries the same contract over a
// byte stream between two processes.
//
// The package holds types only. It decides nothing about rooms, sockets or
// storage, and every reload links it, so it stays small.
package link

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
)

// SessionID names an open socket. Unique within one platform, never reused.
type SessionID uint64

// Host is user code: room types and the functions outside rooms. The platform
// has one current host at a time.
//
// Its methods are safe for concurrent use.
type Host interface {
	// Info describes what the host serves. It does not change.
	Info() Info

	// Wake creates an instance of a room and returns at once; user code first runs
	// when the first event is delivered. The instance lives until it
	// calls w.Seat.Release. The platform never wakes a room that has a live
	// instance, on this host or another.
	Wake(w Wake) Room

	// Call runs a function outside rooms and writes its response, if it has one, to w.
	// It blocks until the function has returned. ErrHostGone means that the host died
	// before it answered; if nothing was written, the call may be made again.
	Call(ctx context.Context, c Call, w http.ResponseWriter) (Outcome, error)
}

// Room is a live instance of a room, as the platform sees it.
type Room interface {
	// Deliver hands one event to the instance. False means that the instance
	// has been released and the event was not taken: wake the room again.
	// In process the turn runs on the calling goroutine; over a stream the
	// call returns when the event is on its way, and blocks while the room is
	// too far behind. The caller must not touch the event afterwards.
	Deliver(ev *Event) bool

	// Evict asks the instance to finish and release itself: running turns end, what waits
	// in an await is given grace and then has its context cancelled.
	// It returns at once; the instance calls Seat.Release.
	Evict(grace time.Duration)
}

// Seat is a room's place on the platform, as its instance sees it. Every
// instance has a seat of its own: once it is released, or its fence is outdated, whatever
// it still does has no effect.
type Seat interface {
	// Apply hands over the effects of one turn or part of a turn. The writes become durable
	// first, then the outputs leave, in the order of the calls. It does not
	// wait for that. The batch belongs to the platform from then on.
	Apply(b *Batch)

	// Get and List load stored entries. They see every batch applied before.
	// Values must not be modified.
	Get(ctx context.Context, keys []string) (map[string][]byte, error)
	List(ctx context.Context, r storage.Range) ([]storage.Entry, error)

	// Sync waits until every batch applied before is durable.
	Sync(ctx context.Context) error

	Lobby

	// Release ends the instance. left are events that were taken and not
	// consumed, oldest first; the platform delivers them to the next instance.
	Release(left []*Event)
}

// Lobby is what user code, in a room or outside, can ask of the platform beyond a room's own.
type Lobby interface {
	// Fetch sends a request to a room and returns its response. The
	// caller closes the response's body.
	Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error)
	Dialer
	// Asset opens a static asset by its slash-separated path ("/index.html").
	// The error is fs.ErrNotExist when there is none.
	Asset(ctx context.Context, path string) ([]byte, error)
}

// Wake is all that a fresh instance needs to take up its room.
type Wake struct {
	Room  storage.Room
	Fence storage.Fence
	Alarm time.Time // zero: none is set
	// Sessions are the sockets that are members of the room.
	Sessions []Session
	// Empty says that nothing is stored of the room; false, that it is not known.
	Empty bool
	// Kept is what an earlier instance left with Keep.
	Kept string
	Seat Seat
}

// Session is one socket in a room: what outlives an instance of it.
type Session struct {
	ID    SessionID
	Conn  string   // the connection's id, as user code sees it
	URI   string   // full URL of the upgrade request
	Tags  []string // with the connection's id first
	State []byte   // nil: never set
	// Request is the upgrade request, without a body. It is given only to
	// rooms that do not hibernate, which get OnConnect again.
	Request *http.Request
	// Closing says that the socket is gone and its Close event is still to come.
	Closing bool
	// Engine says that the client speaks Engine.IO. Request is then always given.
	Engine bool
}

// Kind is the kind of an event.
type Kind uint8

// The kinds of events, with the fields of Event that each of them uses.
const (
	Nudge   Kind = iota // nothing but a reason to start the room
	Open                // a socket wants in: Session, Conn, URI, Request, Engine
	Message             // a frame: Session, Data, Binary
	Close               // a socket is gone: Session, Code, Reason, Clean
	Request             // an HTTP request, or a call of a method: Request or Invocation. Answered by Respond effects
	Alarm               // the alarm set for At is due: At, Attempt
)

var kinds = [...]string{"nudge", "open", "message", "close", "request", "alarm"}

func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return "unknown"
}

// Event is one thing that happens to a room.
type Event struct {
	Kind    Kind
	Binary  bool
	Clean   bool
	Engine  bool // the client speaks Engine.IO; Conn is then its sid
	Code    int
	Seq     uint64 // unique per room, ascending, never zero
	Session SessionID
	Data    string
	Reason  string
	Conn    string
	URI     string
	At      time.Time
	Attempt int // of an alarm: how often it has failed before
	// Request has its body already read, as a reader that never fails. Its context ends when the client has gone.
	Request *http.Request
	// Invocation is given to an Invocable only. It does not cross a stream.
	Invocation *Invocation

	// Yielded, if set, is called at most once, when the turn gives itself up in an
	// await for the first time: the event is consumed, its sender may go on. It must not block.
	Yielded func()
	// Deaths counts the hosts that died while this event was the first one
	// in its room that was not consumed.
	Deaths int
	// Timing, if set, is to be filled in. It does not cross a stream.
	Timing *Timing
}

// Op is what an effect does.
type Op uint8

// The effects, with the fields of Effect that each of them uses.
const (
	Join        Op = iota + 1 // the socket is a member from here on: Session, Tags; Final: broadcasts reach it by Only
	Accept                    // let the waiting upgrade through (101): Session; Header, for an Engine.IO handshake
	Deny                      // answer the waiting upgrade with plain HTTP: Session, Code, Data
	Send                      // one message to one socket: Session, Data, Binary, Parts, Lossy
	Broadcast                 // one message to the members: Data, Binary, Parts, Lossy, Tag, Only, Except
	Shut                      // close the socket, after a 101 if it still waits: Session, Code, Data
	SetState                  // Session, Data; Binary true removes it
	Respond                   // part of a response: Ref, Code (first part), Header, Data, Final. A negative Code breaks it off, or answers if nothing has left
	AlarmFailed               // the alarm's turn failed, deliver it again later
	Headers                   // add Header to every HTTP response of an Engine.IO session: Session, Header
	Keep                      // hold Data for the room's next instance, in memory, for Code seconds
	Migrated                  // the room's data is up to date with its code from here on, or cannot be brought there for the reason in Data
)

// Effect is one output of a turn.
type Effect struct {
	Op       Op
	Binary   bool
	Final    bool
	Volatile bool // may leave before the writes it follows are durable
	Lossy    bool // dropped for sockets that cannot take it at once
	Code     int
	Session  SessionID
	Ref      uint64 // Seq of the Request event that is answered
	Data     string
	Tag      string // only members with this tag
	Tags     []string
	Except   []SessionID
	Only     []SessionID // if not empty, these sockets instead of the members. Shared: not to be modified
	Parts    []string    // binary messages that follow Data, with nothing between
	Header   http.Header
}

// Batch is what one turn asks of the platform.
type Batch struct {
	Consumed uint64 // Seq of the event that this batch consumes; 0 for none
	Clear    bool   // remove all keys before Ops
	Ops      []storage.Op
	Alarm    storage.AlarmChange
	AlarmAt  time.Time
	Effects  []Effect
	// Unconfirmed says that the effects need not wait for these writes to be
	// durable, only for those before them.
	Unconfirmed bool
}

// Writes reports whether the batch changes what is stored.
func (b *Batch) Writes() bool {
	return b.Clear || len(b.Ops) > 0 || b.Alarm != storage.KeepAlarm
}

// CallKind says which function outside rooms is called.
type CallKind uint8

// The functions outside rooms.
const (
	CallFetch         CallKind = iota + 1 // //party:fetch
	CallBeforeConnect                     // //party:before-connect
	CallBeforeRequest                     // //party:before-request
	CallCron                              // //party:cron
)

// Call is a call of a function outside rooms.
type Call struct {
	Kind    CallKind
	Room    storage.Room  // the addressed room, for the before hooks
	Request *http.Request // absent for a cron
	Cron    string        // name
	At      time.Time     // when the cron was due
	Lobby   Lobby
}

// Outcome is what a call decided.
type Outcome struct {
	// Answered says that a response was written to w.
	Answered bool
	// Pass is the request to go on with, for the before hooks.
	Pass *http.Request
	// Forward names the room that is to answer Pass: a request or an upgrade.
	Forward *storage.Room
}

// Info describes a host: what the platform routes to it.
type Info struct {
	Parties []Party
	Fetch   bool // has a //party:fetch function
	Socket  bool // has a //party:socket function
	Crons   []string
}

// Party describes one kind of room.
type Party struct {
	Name          string // in URLs and in the store
	Type          string // Go type, for messages
	Main          bool
	Hibernate     bool
	Requests      bool // has OnRequest
	BeforeConnect bool
	BeforeRequest bool
	Engine        *Engine // its rooms speak Engine.IO; nil: they do not
}

// SocketParty is the party of the sockets that a //party:socket function
// serves: each of them is a room of its own, without storage.
const SocketParty = ""

var batches = sync.Pool{New: func() any { return new(Batch) }}

// NewBatch returns an empty batch, perhaps with room for effects left from an
// earlier one.
func NewBatch() *Batch { return batches.Get().(*Batch) }

// Free gives a batch back for reuse. The caller must hold no part of it.
func (b *Batch) Free() {
	effects := b.Effects
	clear(effects)
	if cap(effects) > 64 {
		effects = nil
	}
	*b = Batch{Effects: effects[:0]}
	batches.Put(b)
}
