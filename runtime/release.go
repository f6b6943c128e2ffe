package party

import (
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Evict implements link.Room.
func (i *instance) Evict(grace time.Duration) { go i.evict(grace) }

// evict releases the instance when its running turns have ended. Awaits get
// grace, then their contexts end, then they get grace once more.
func (i *instance) evict(grace time.Duration) {
	if i.key.Party == link.SocketParty {
		i.awaits.endAll() // its turn may be waiting for the function to receive
	}
	i.turn.Lock()
	defer i.turn.Unlock()
	i.stopTimers()
	i.leaveEngine()
	if !i.settle(grace) {
		i.awaits.endAll()
		if !i.settle(grace) {
			i.logger().Warn("a callback is still in Await after its context has ended; it is abandoned", "callbacks", i.waiting)
		}
	}
	i.release()
}

// settle waits until no callback is in an await, for at most d. The caller
// holds the turn, which others get meanwhile.
func (i *instance) settle(d time.Duration) bool {
	late := false
	t := time.AfterFunc(d, func() {
		i.turn.Lock()
		late = true
		i.turn.Unlock()
		i.settled.Broadcast()
	})
	defer t.Stop()
	for i.waiting > 0 && !i.released && !late {
		i.settled.Wait()
	}
	return i.waiting == 0 || i.released
}

// release ends the instance. The caller holds the turn.
func (i *instance) release() {
	if i.released {
		return
	}
	i.leaveEngine()
	i.released = true
	i.host.rest.remove(i)
	i.stopTimers()
	i.awaits.endAll()
	i.end()
	i.outbox.mu.Lock()
	defer i.outbox.mu.Unlock()
	i.seat.Release(i.held.leave())
}

// idleCheck releases a room that has been idle for a whole period, and reports whether it did, or somebody
// else has.
func (i *instance) idleCheck() bool {
	if !i.turn.TryLock() {
		return false
	}
	defer i.turn.Unlock()
	if i.released {
		return true
	}
	if i.turns == i.idleTurns && i.mayRest() {
		i.release()
		return true
	}
	i.idleTurns = i.turns
	return false
}

// mayRest reports whether dropping the value loses nothing that the user was promised.
func (i *instance) mayRest() bool {
	return i.waiting == 0 && len(i.timers) == 0 && len(i.held.events) == 0 && (i.def.Hibernate || len(i.conns)+i.apart == 0)
}
