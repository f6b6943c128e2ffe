package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/runtime/storage"
)

// Record is what is known of the versions of an installation, from one start to the next.
type Record struct {
	// Path is the program that the operator starts, and Base its version when last looked at.
	Path string `json:"path"`
	Base string `json:"base"`
	// Versions have served, oldest first; the last one is to serve.
	Versions []Served `json:"versions"`
	// Migrations are those of the newest version that has ever served. An older one that serves
	// again knows fewer, and the store has been through all of them.
	Migrations []storage.Migration `json:"migrations,omitempty"`
}

// Served is a version that has served.
type Served struct {
	ID     string `json:"id"`
	Proven bool   `json:"proven"`          // it has been through its probation
	Moved  bool   `json:"moved,omitempty"` // its migrations have moved or deleted rooms: there is no way back beyond it
}

// Settle takes versions from the end that were on probation when the process ended, as far as
// the one below is one to go back to.
func (r *Record) Settle() (dropped []string) {
	for n := len(r.Versions); n > 1 && !r.Versions[n-1].Proven && !r.Versions[n-1].Moved; n-- {
		dropped = append(dropped, r.Versions[n-1].ID)
		r.Versions = r.Versions[:n-1]
	}
	return dropped
}

const recordFile = "record.json"

// Load reads the record; the zero one if there is none yet.
func (f *Folder) Load() (Record, error) {
	var r Record
	data, err := os.ReadFile(filepath.Join(f.dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return Record{}, fmt.Errorf("record of the versions: %w", err)
	}
	return r, nil
}

// Save replaces the record, durably.
func (f *Folder) Save(r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = durable.WriteFile(filepath.Join(f.dir, recordFile), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("record of the versions: %w", err)
	}
	return nil
}
