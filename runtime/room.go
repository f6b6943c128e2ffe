package party

import (
	"iter"
	"log/slog"
	"reflect"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Room is what every room type embeds. It must not be copied, and its methods
// work only on values that the runtime has made, not on ones a program makes itself.
//
// Unless a method says otherwise, call it in turns only: in callbacks and in
// functions given to Do, After and Every, and not in the function given to Await.
type Room struct {
	i *instance
}

func (r *Room) base() *Room { return r }

// Name is the room's name: the decoded path segment of its URL. Callable from anywhere.
func (r *Room) Name() string { return r.i.key.Name }

// Party is the party's name in URLs. Callable from anywhere.
func (r *Room) Party() string { return r.i.key.Party }

// Broadcast sends a message to every connection of the room, except those
// that options leave out. It leaves when the turn's writes are durable.
// A connection that reads too slowly is closed with 1013 and does not hold up the others.
func (r *Room) Broadcast(msg Message, opts ...BroadcastOption) error {
	if msg.err != nil {
		return msg.err
	}
	if len(opts) > 0 {
		r.broadcastWith(msg, opts)
		return nil
	}
	r.i.emit(link.Effect{Op: link.Broadcast, Data: msg.data, Binary: msg.binary, Parts: msg.parts})
	return nil
}

// broadcastWith is apart because options move the effect to the heap.
func (r *Room) broadcastWith(msg Message, opts []BroadcastOption) {
	e := link.Effect{Op: link.Broadcast, Data: msg.data, Binary: msg.binary, Parts: msg.parts}
	for _, o := range opts {
		o.applyBroadcast(r.i, &e)
	}
	r.i.emit(e)
}

// Connections yields the open connections that have all the tags given, as
// they were when the iteration began.
func (r *Room) Connections(tags ...string) iter.Seq[*Conn] { return r.i.each(tags) }

// Connection returns the open connection with this id; of several the newest.
func (r *Room) Connection(id string) (*Conn, bool) {
	c := r.i.byID[id]
	for c != nil && c.shut.Load() {
		c = c.older
	}
	return c, c != nil
}

// Storage is the room's durable storage.
func (r *Room) Storage() Storage { return Storage{r.i} }

// SetAlarm makes OnAlarm run at t, or at once if t is past, in place of an
// alarm set before. It is kept by the turn's commit, so it survives restarts.
// Resolution: one millisecond.
func (r *Room) SetAlarm(t time.Time) error {
	if r.i.cur == nil {
		return ErrOutsideTurn
	}
	r.i.writes.alarm, r.i.writes.at = setAlarm, t.Truncate(time.Millisecond)
	return nil
}

// Alarm returns when the alarm is due, and whether one is set. While OnAlarm
// runs, none is, unless it has set another.
func (r *Room) Alarm() (time.Time, bool) { return r.i.writes.at, !r.i.writes.at.IsZero() }

// DeleteAlarm removes the alarm, if one is set.
func (r *Room) DeleteAlarm() error {
	if r.i.cur == nil {
		return ErrOutsideTurn
	}
	r.i.writes.alarm, r.i.writes.at = clearAlarm, time.Time{}
	return nil
}

// Lobby reaches the other rooms, the environment and the assets.
func (r *Room) Lobby() *Lobby { return &Lobby{host: r.i.host, i: r.i} }

// Env holds the configured variables. Callable from anywhere.
func (r *Room) Env() Env { return r.i.host.env }

// Logger names the room in what it logs. Callable from anywhere.
func (r *Room) Logger() *slog.Logger { return r.i.logger() }

func typeName[T any]() string { return reflect.TypeFor[T]().Name() }
