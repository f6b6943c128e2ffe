package sqlite

import (
	"fmt"

	"github.com/goparty-dev/party/runtime/storage"
)

// runCommitter makes what is waiting durable, one group after the other, until the
// store is closed and nothing waits. It alone uses the writer.
func (s *Store) runCommitter(outcomes chan<- []item) {
	defer close(outcomes)
	for {
		group := s.take()
		if len(group) == 0 {
			return
		}
		if err := s.writer.commit(group); err != nil {
			s.giveUp(group, diagnose(err))
		}
		s.writer.perform(group)
		outcomes <- group
		s.writer.checkpoint()
	}
}

// giveUp fails a group that was rolled back, and what its rooms have accepted since.
// It happens before the next group is taken.
func (s *Store) giveUp(group []item, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range group {
		i := &group[n]
		if i.fail(); i.err != nil || !i.write {
			continue
		}
		i.err = fmt.Errorf("commit to room %q: %w", i.commit.Room, cause)
		i.room.bury(i.commit.Fence)
		i.room.row = 0 // the row may have gone with the rest
	}
}

// runSettler settles groups, while the committer is busy with the next one.
func (s *Store) runSettler(outcomes <-chan []item) {
	defer close(s.settled)
	for group := range outcomes {
		s.settle(group)
		for n := range group {
			group[n].done(group[n].err)
		}
		s.recycle(group)
	}
}

// settle takes a group out of the overlays: from here on it is read from the database,
// or nowhere.
func (s *Store) settle(group []item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups.Add(1)
	for n := range group {
		i := &group[n]
		if !i.write {
			continue
		}
		r := i.room
		r.overlay.remove(&i.commit, i.number)
		r.pending--
		if r.pending == 0 {
			if r.drained != nil {
				close(r.drained)
				r.drained = nil
			}
			s.forget(i.commit.Room, r)
		}
	}
}

// recycledItems is the capacity up to which a group's slice is used again.
const recycledItems = 4096

// recycle keeps the slice of a settled group for a later queue.
func (s *Store) recycle(group []item) {
	if cap(group) > recycledItems {
		return
	}
	clear(group)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spare == nil {
		s.spare = group[:0]
	}
}

// writes reports whether the item changes what is stored.
func (i *item) writes() bool {
	c := &i.commit
	return i.write && i.err == nil && (c.Clear || len(c.Ops) > 0 || c.Alarm != storage.KeepAlarm)
}
