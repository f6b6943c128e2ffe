package sqlite

// Groups returns how many groups of commits have been settled since Open. A group is one
// transaction with one fsync, or none if nothing in it wrote.
func (s *Store) Groups() uint64 { return s.groups.Load() }
