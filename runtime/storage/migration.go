package storage

import (
	"errors"
	"fmt"
	"slices"
)

// Migration is a recorded change in the set of parties. A store goes through
// each of them once, in the order in which they were recorded.
type Migration struct {
	Tag     string   // unique
	New     []string // parties that are there from now on; nothing in the store changes
	Renamed []Rename // applied in order, before Deleted
	Deleted []string // parties whose rooms are removed, with their entries and alarms
}

// Moves reports whether any of the migrations changes what is stored in rooms.
func Moves(ms []Migration) bool {
	return slices.ContainsFunc(ms, func(m Migration) bool { return len(m.Renamed)+len(m.Deleted) > 0 })
}

// Rename moves the rooms of a party, with their entries and alarms, to another.
type Rename struct{ From, To string }

// Errors of migrations.
var (
	// ErrMigrated says that the store has been through a migration that the caller does not know.
	ErrMigrated = errors.New("the store was migrated by a newer version of the program")
	// ErrClaimed says that rooms are in use, so that parties cannot be moved.
	ErrClaimed = errors.New("storage: rooms are claimed")
)

// Unapplied returns what a store that has been through the migrations with the
// tags in applied still has to go through, of all that are known. The error is
// ErrMigrated if there are others among the applied, and says so if their order is not that of known.
func Unapplied(applied []string, known []Migration) ([]Migration, error) {
	for n, tag := range applied {
		if n < len(known) && known[n].Tag == tag {
			continue
		}
		if !slices.ContainsFunc(known, func(m Migration) bool { return m.Tag == tag }) {
			return nil, fmt.Errorf("%w: migration %q is not known to this one: run that version, or use another folder for the data", ErrMigrated, tag)
		}
		return nil, fmt.Errorf("the store was migrated in another order: its migration %d is %q, and that of the program is %q", n+1, tag, known[n].Tag)
	}
	return known[len(applied):], nil
}
