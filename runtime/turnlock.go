package party

// turnLock is what a room's turn is held by. It is a mutex that serves those who
// wait in the order of their coming, and that testing/synctest can see through: a
// goroutine that waits for a turn does not keep a test's clock from going on.
type turnLock chan struct{}

func newTurnLock() turnLock { return make(turnLock, 1) }

func (l turnLock) Lock() { l <- struct{}{} }

func (l turnLock) Unlock() {
	select {
	case <-l:
	default:
		panic("party: a turn was given up that nobody held")
	}
}

func (l turnLock) TryLock() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}
