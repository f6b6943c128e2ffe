package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/goparty-dev/party/runtime/storage"
)

// Applied implements [storage.Store].
func (s *Store) Applied(ctx context.Context) ([]string, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return slices.Clone(s.applied), nil
}

// Migrate implements [storage.Store].
func (s *Store) Migrate(ctx context.Context, known []storage.Migration) (int, error) {
	if err := s.use(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	todo, err := storage.Unapplied(s.applied, known)
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	if s.owners.Len() > 0 && storage.Moves(todo) {
		return 0, storage.ErrClaimed
	}
	rooms, applied := maps.Clone(s.rooms), slices.Clone(s.applied)
	for _, m := range todo {
		if err := migrate(rooms, m); err != nil {
			return 0, fmt.Errorf("migration %q: %w", m.Tag, err)
		}
		applied = append(applied, m.Tag)
	}
	s.rooms, s.applied = rooms, applied
	return len(todo), nil
}

func migrate(rooms map[storage.Room]*room, m storage.Migration) error {
	for _, r := range m.Renamed {
		moved := make(map[storage.Room]*room)
		for addr, content := range rooms {
			if addr.Party != r.From {
				continue
			}
			to := storage.Room{Party: r.To, Name: addr.Name}
			if rooms[to] != nil && to != addr {
				return fmt.Errorf("there are both %q and %q", addr, to)
			}
			moved[to] = content
			delete(rooms, addr)
		}
		maps.Copy(rooms, moved)
	}
	maps.DeleteFunc(rooms, func(addr storage.Room, _ *room) bool { return slices.Contains(m.Deleted, addr.Party) })
	return nil
}
