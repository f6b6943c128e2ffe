package link

import "time"

// Timing is filled in by a host in the same process, for an event whose turn is to
// be measured: how long the event waited for its room, and how long the parts of its turn
// ran. What it spent in awaits is in neither. All methods do nothing on nil. It is used by
// the goroutine that runs the turn only.
type Timing struct {
	Queued, Ran time.Duration
	Begun       bool
	First       time.Time // when the first part began

	mark time.Time
}

// TurnSample is how many messages of a room, and how many turns that it begins itself, there are
// to each that is measured. Other events are rare enough for all of them to be.
const TurnSample = 16

// TurnWatcher is a Seat that is told of turns that a room began itself, as opposed to events.
type TurnWatcher interface {
	// OwnTurn is called after such a turn. The timing is nil if the turn was not measured.
	OwnTurn(*Timing)
}

// Wait notes that the event, or the rest of its turn, begins to wait for the room.
func (t *Timing) Wait() {
	if t != nil {
		t.mark = time.Now()
	}
}

// WaitSince notes that the turn has been waiting for the room since then.
func (t *Timing) WaitSince(then time.Time) {
	if t != nil {
		t.mark = then
	}
}

// Begin notes that a part of the turn begins.
func (t *Timing) Begin() {
	if t == nil {
		return
	}
	now := time.Now()
	t.Queued += now.Sub(t.mark)
	t.mark = now
	if !t.Begun {
		t.Begun, t.First = true, now
	}
}

// End notes that a part of the turn has ended.
func (t *Timing) End() {
	if t != nil {
		t.Ran += time.Since(t.mark)
	}
}
