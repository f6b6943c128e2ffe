package supervise

import (
	"sync"

	"github.com/goparty-dev/party/runtime/storage"
)

// maxUnfit is how many rooms that a version cannot migrate are named. All are counted.
const maxUnfit = 20

// Unfit is a room that the serving version cannot start, since a data migration fails. It is as it was.
type Unfit struct {
	Room   string `json:"room"` // party/name
	Reason string `json:"reason"`
}

// fitness counts the rooms that the version with the rooms could migrate, and those that it could not. The zero
// value is for the first version. It is safe for concurrent use.
type fitness struct {
	mu       sync.Mutex // guards what follows
	host     host       // that the counts are of
	failing  map[storage.Room]string
	order    []storage.Room // of failing, the first maxUnfit
	migrated int
}

// begin counts from the beginning, for a host that gets the rooms.
func (f *fitness) begin(h host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.host, f.failing, f.order, f.migrated = h, make(map[storage.Room]string), nil, 0
}

// take counts a room once. first says that it could not be migrated by version, is one of the first, and was not known.
func (f *fitness) take(room storage.Room, reason string) (version string, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.failing[room]
	if reason == "" {
		delete(f.failing, room)
		f.migrated++
		return "", false
	}
	if f.failing == nil {
		f.failing = make(map[storage.Room]string)
	}
	f.failing[room] = reason
	if known || len(f.order) == maxUnfit {
		return "", false
	}
	f.order = append(f.order, room)
	return f.host.version.ID, true
}

// counted is what is known now.
func (f *fitness) counted() counted {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := counted{Host: f.host.id, Failing: len(f.failing), Migrated: f.migrated}
	for _, room := range f.order {
		if reason, ok := f.failing[room]; ok {
			c.Rooms = append(c.Rooms, Unfit{room.Party + "/" + room.Name, reason})
		}
	}
	return c
}

// Migrated takes what the platform says of a room's data migrations: without a reason, they have run. It does not block.
func (s *Supervisor) Migrated(room storage.Room, reason string) {
	if version, first := s.fitness.take(room, reason); first {
		s.tell(Notice{Kind: NotMigrated, Version: version, Room: room.Party + "/" + room.Name, Reason: reason})
	}
	select {
	case s.counting <- struct{}{}:
	default: // whoever counts has not begun yet, and will see this too
	}
}

// count tells the loop of the counts when they change.
func (s *Supervisor) count() {
	for {
		select {
		case <-s.counting:
			s.send(s.fitness.counted())
		case <-s.done:
			return
		}
	}
}
