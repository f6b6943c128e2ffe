package supervise

import (
	"context"
	"errors"
	"fmt"
)

// Upgrade starts a version beside the one that serves, gives it the rooms, and returns when it is
// through its probation. With an error, the version that was there before serves, or is being started
// again. each, if not nil, is told what happens meanwhile. When ctx ends the upgrade goes on.
func (s *Supervisor) Upgrade(ctx context.Context, v Version, each func(Notice)) error {
	return s.ask(ctx, func(n int) event { return upgrade{n, v} }, v.ID, Proven, each)
}

// Rollback is Upgrade to the version before, and returns when that one serves.
func (s *Supervisor) Rollback(ctx context.Context, each func(Notice)) error {
	return s.ask(ctx, func(n int) event { return rollback{n} }, "", HandedOver, each)
}

// ask puts a question and follows what becomes of it. Without an id, the next version that is started is meant.
func (s *Supervisor) ask(ctx context.Context, question func(int) event, id string, last Kind, each func(Notice)) error {
	notices, end := s.watch()
	defer end()
	s.mu.Lock()
	s.asks++
	n := s.asks
	s.mu.Unlock()
	s.send(question(n))
	for {
		select {
		case note, ok := <-notices:
			if !ok {
				return errors.New("too much happens: see the log")
			}
			if note.Kind == Starting && note.ask == n {
				id = note.Version
			}
			if note.Kind == Refused && note.ask == n {
				return errors.New(note.Reason)
			}
			if note.Kind == Refused || note.Version != id && note.From != id {
				continue
			}
			if each != nil {
				each(note)
			}
			switch {
			case note.Kind == last:
				return nil
			case note.Kind == Failed:
				return fmt.Errorf("version %s could not take over, and nothing has changed: %s", id, note.Reason)
			case note.Kind == RolledBack && note.From == id:
				if note.Failing > 0 {
					return fmt.Errorf("version %s could not migrate the data of %d rooms, and migrated %d; version %s serves again, and these rooms are as they were: %s", id, note.Failing, note.Migrated, note.Version, note.Reason)
				}
				return fmt.Errorf("version %s crashed on probation, and version %s serves again: %s", id, note.Version, note.Reason)
			}
		case <-s.done:
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch subscribes to notices. The channel is closed when its reader falls too far behind.
func (s *Supervisor) watch() (<-chan Notice, func()) {
	c := make(chan Notice, 256)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, c)
	}
}

// tell logs a notice and passes it on.
func (s *Supervisor) tell(n Notice) {
	switch n.Kind {
	case Failed, Crashed, RolledBack:
		s.log.Error("version "+string(n.Kind), "version", n.Version, "from", n.From, "err", n.Reason)
	case NotMigrated:
		s.log.Error("the data of a room cannot be migrated; it is as it was", "version", n.Version, "room", n.Room, "err", n.Reason)
	case HandedOver:
		s.log.Info("rooms handed over", "version", n.Version, "rooms", n.Rooms, "sockets", n.Sockets, "pause", n.Pause)
	case Refused:
	default:
		s.log.Info("version "+string(n.Kind), "version", n.Version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.watchers {
		select {
		case c <- n:
		default:
			close(c)
			delete(s.watchers, c)
		}
	}
}

// publish makes the loop's state what Status returns.
func (s *Supervisor) publish() {
	st := Status{Serving: s.state.top().ID, Starting: s.state.starting.version.ID, History: s.state.history}
	if s.state.counted.Host == s.state.current.id {
		st.Unfit, st.UnfitRooms = s.state.counted.Rooms, s.state.counted.Failing
	}
	if h := s.hosts[s.state.current.id]; h != nil {
		st.PID = h.pid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = st
}

// Status says what is going on. The history must not be modified.
func (s *Supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}
