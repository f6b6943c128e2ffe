package sqlite

import "github.com/goparty-dev/party/runtime/storage"

// WithLogPages returns options with another longest log, in pages of 4 KiB.
func (o Options) WithLogPages(n int) Options {
	o.logPages = n
	return o
}

// Awaited reports whether a claim waits for what is pending in the room.
func (s *Store) Awaited(addr storage.Room) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms.Get(addr)
	return r != nil && r.drained != nil
}
