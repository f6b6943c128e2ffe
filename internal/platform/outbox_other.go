//go:build !unix

package platform

// directWrites says that a socket can be written to without waiting for it.
// Where it cannot, every frame goes through the queue.
const directWrites = false

func (o *outbox) tryWrite(uintptr) bool { return true }
