package devserver

import (
	"context"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/storage"
)

// migrateTime is how long rooms may take to leave before their parties are renamed.
const migrateTime = 15 * time.Second

// migrate takes the store through what the manifest has recorded since. It
// is called before code that relies on it gets the rooms. When it fails the rooms have no host, and
// events wait: code that finds its rooms empty would be worse.
func (s *server) migrate(m *manifest.Manifest) bool {
	ctx, cancel := context.WithTimeout(s.hosting, migrateTime)
	defer cancel()
	known := recorded(m)
	n, err := s.platform.Migrate(ctx, known)
	if err != nil {
		s.console.Line(s.console.Bad("migrations: " + err.Error()))
		s.console.Line(s.console.Bad("rooms wait until \"migrations\" in party.json fits the data"))
		return false
	}
	if todo := known[len(known)-n:]; storage.Moves(todo) {
		for _, m := range todo {
			for _, r := range m.Renamed {
				s.console.Line("migrated: rooms of " + r.From + " are rooms of " + r.To)
			}
			for _, party := range m.Deleted {
				s.console.Line("migrated: rooms of " + party + " are deleted")
			}
		}
	}
	return true
}

// recorded are the manifest's migrations as the store takes them.
func recorded(m *manifest.Manifest) []storage.Migration {
	out := make([]storage.Migration, len(m.Migrations))
	for n, from := range m.Migrations {
		out[n] = storage.Migration{Tag: from.Tag, New: from.New, Deleted: from.Deleted}
		for _, r := range from.Renamed {
			out[n].Renamed = append(out[n].Renamed, storage.Rename(r))
		}
	}
	return out
}
