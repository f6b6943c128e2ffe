package devserver

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// storeFile is the name that built programs use too, so that state can be moved from one to the other.
const storeFile = "party.db"

// openStore opens the durable state and says where it is: a folder, or "" for memory.
func openStore(o *Options, m *manifest.Manifest, log *slog.Logger) (storage.Store, string, error) {
	dir := o.Persist
	switch {
	case o.NoPersist:
		dir = ""
	case dir == "" && o.Manifest != "":
		if m.Persist != "" {
			dir = m.Abs(m.Persist)
		}
	case dir == "":
		dir = filepath.Join(o.project(), filepath.FromSlash(manifest.DefaultPersist))
	}
	if dir == "" {
		return memory.New(), "", nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", fmt.Errorf("state folder: %w: choose another with --persist DIR, or --no-persist", err)
	}
	s, err := sqlite.Open(filepath.Join(dir, storeFile), sqlite.Options{Logger: log})
	switch {
	case errors.Is(err, storage.ErrLocked):
		return nil, "", fmt.Errorf("state folder %s is held by another process: stop it, or use --persist DIR or --no-persist: %w", dir, err)
	case err != nil:
		return nil, "", fmt.Errorf("state folder %s: %w", dir, err)
	}
	return s, dir, nil
}
