// Package storage is the contract between the platform and whatever keeps the
// rooms' durable state. Each engine is a package below this one, and every
// engine passes the same suite (package storagetest).
//
// It is not the API that room code sees: that is party.Storage, which turns
// values into bytes and one turn's writes into one [Commit].
package storage

import (
	"context"
	"time"
)

// Limits that every engine honours. The layer above rejects what exceeds
// them, an engine may rely on that.
const (
	MaxKeyBytes   = 2 << 10 // longest key, in bytes
	MaxValueBytes = 2 << 20 // longest value, in bytes
)

// Room addresses one room: the name of its party and its own name, both
// arbitrary valid UTF-8. The zero Room is not a room.
type Room struct {
	Party, Name string
}

func (r Room) String() string { return r.Party + "/" + r.Name }

// Fence is the number by which a store knows the current owner of a room. A
// later claim has a greater fence, across restarts too. Zero is never a fence.
type Fence uint64

// Claim is what a new owner of a room learns.
type Claim struct {
	Fence Fence
	// Alarm is when the room asked to be woken; zero when it did not.
	// Resolution: one millisecond.
	Alarm time.Time
	// Empty says that nothing is stored of the room, neither entries nor an alarm. A store that does not
	// know without looking further says false.
	Empty bool
}

// Op is one write. Delete ignores Value.
type Op struct {
	Key    string
	Value  []byte
	Delete bool
}

// AlarmChange is what a commit does to its room's alarm.
type AlarmChange uint8

const (
	KeepAlarm  AlarmChange = iota // leave it as it is
	SetAlarm                      // set it to Commit.AlarmAt
	ClearAlarm                    // remove it
)

// Commit is the write-set of one turn. It is applied as a whole or not at all.
type Commit struct {
	Room  Room
	Fence Fence
	// Clear removes every key of the room before Ops are applied. It does not
	// touch the alarm.
	Clear bool
	// Ops are applied in order: of two writes to one key the later wins.
	Ops []Op

	Alarm   AlarmChange
	AlarmAt time.Time
}

// Entry is one key with its value.
type Entry struct {
	Key   string
	Value []byte
}

// Range selects keys in byte order. The zero Range is every key, ascending.
type Range struct {
	Prefix string // only keys with this prefix
	Start  string // first key, inclusive; "" for no bound
	After  string // first key, exclusive; "" for no bound. Not together with Start
	End    string // last key, exclusive; "" for no bound
	// Reverse lists from the greatest key down. The bounds keep their
	// meaning: Start is still the smallest key listed.
	Reverse bool
	Limit   int // at most so many entries; 0 for no limit
}

// Alarm is a room that wants to be woken.
type Alarm struct {
	Room Room
	At   time.Time
}

// Store is durable state. All methods are safe for concurrent use.
//
// Order and visibility: commits of one room take effect in the order of the
// calls to Commit. Get and List see every commit of their room for which
// Commit has returned, durable or not. Another process sees only durable ones.
type Store interface {
	// Claim makes the caller the owner of a room: commits that carry an
	// earlier fence are refused from now on with ErrFenced, also those
	// already accepted and not yet durable only if they cannot be made
	// durable before the claim returns; it waits for them. It writes
	// nothing for a room that has no data. If it fails, because ctx
	// ended for instance, an earlier owner may have lost the room all the same.
	Claim(ctx context.Context, room Room) (Claim, error)

	// Release gives a claim up, so that the store can forget the room.
	// A fence that is not the current one is ignored.
	Release(room Room, fence Fence)

	// Commit accepts a turn's write-set and returns without waiting. done is
	// called exactly once: with nil when the commit is durable, else with the
	// reason why nothing of it was applied (ErrFenced, ErrClosed, or an I/O
	// error). After a failed commit every later commit with the same fence fails
	// with ErrFenced: the room must be claimed anew. done is called in
	// commit order per room, on a goroutine of the store that is not the one
	// waiting for the disk; it should return quickly. It may be called before
	// Commit returns. The store owns c.Ops and the values from then on.
	Commit(c Commit, done func(error))

	// Sync calls done like Commit does, when every commit of the room
	// accepted before it has been settled: with nil, or with ErrFenced when one
	// of those that were still pending has failed. It writes nothing.
	Sync(room Room, done func(error))

	// Get returns the values of those keys that exist, as a map. The caller
	// must not modify the values.
	Get(ctx context.Context, room Room, keys []string) (map[string][]byte, error)

	// List returns the entries in r. The caller must not modify the values.
	List(ctx context.Context, room Room, r Range) ([]Entry, error)

	// Alarms returns up to limit durable alarms, earliest first, ties by
	// room (party, then name, in byte order), beginning after the given one;
	// the zero Alarm begins at the start. limit must be positive.
	Alarms(ctx context.Context, after Alarm, limit int) ([]Alarm, error)

	// Applied returns the tags of the migrations that the store has been through, in order.
	Applied(ctx context.Context) ([]string, error)

	// Migrate takes the store through those of the known migrations that it has not been
	// through (see Unapplied), all or none, and returns how many these were. If they rename or
	// delete, no room may be claimed until it returns; if one is already, it fails with ErrClaimed. It
	// fails too when a rename would put two rooms in one place. What it did is durable when it returns nil.
	Migrate(ctx context.Context, known []Migration) (int, error)

	// Close settles what has been accepted and releases the store. Every use
	// of the store afterwards fails with ErrClosed.
	Close() error
}
