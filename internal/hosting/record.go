//go:build unix

package hosting

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/internal/hosting/api"
)

// record is what is kept of an app.
type record struct {
	Name     string       `json:"name"`
	Slot     int          `json:"slot"` // its number, which no other app ever gets
	User     int          `json:"user"` // 0: the host's
	Created  time.Time    `json:"created"`
	Version  string       `json:"version,omitempty"` // ID of what serves, or is to; empty: nothing
	Versions []shipped    `json:"versions,omitempty"`
	Domains  []string     `json:"domains,omitempty"`
	Settings api.Settings `json:"settings"`
	// EnvChanged says that the variables are others than those that the rooms have.
	EnvChanged bool `json:"env_changed,omitempty"`
}

// shipped is a version that was deployed, oldest first in a record.
type shipped struct {
	ID       string    `json:"id"`
	Hash     string    `json:"sha256"`
	Label    string    `json:"label,omitempty"`
	Commit   string    `json:"commit,omitempty"`
	Modified bool      `json:"modified,omitempty"`
	Message  string    `json:"message,omitempty"`
	Deployed time.Time `json:"deployed"`
	By       string    `json:"by,omitempty"`
	Parties  []string  `json:"parties,omitempty"`
}

// idDigits is how many digits of a hash are a version's ID, as in package release.
const idDigits = 12

// maxVersions is how many versions an app's record has; the programs of those that are gone are removed.
const maxVersions = 8

func (r *record) find(id string) (shipped, bool) {
	n := slices.IndexFunc(r.Versions, func(s shipped) bool { return s.ID == id })
	if n < 0 {
		return shipped{}, false
	}
	return r.Versions[n], true
}

// ship puts a version at the end, where it stands once.
func (r *record) ship(s shipped) {
	r.Versions = slices.DeleteFunc(slices.Clone(r.Versions), func(old shipped) bool { return old.ID == s.ID })
	r.Versions = append(r.Versions, s)
	for len(r.Versions) > maxVersions {
		n := slices.IndexFunc(r.Versions, func(s shipped) bool { return s.ID != r.Version })
		r.Versions = slices.Delete(r.Versions, n, n+1)
	}
}

// unship removes a version that did not come off, unless it was there before.
func (r *record) unship(id string, before *record) {
	if _, there := before.find(id); !there && r.Version != id {
		r.Versions = slices.DeleteFunc(slices.Clone(r.Versions), func(s shipped) bool { return s.ID == id })
	}
}

// clone is a copy that can be changed.
func (r *record) clone() *record {
	c := *r
	c.Versions, c.Domains = slices.Clone(r.Versions), slices.Clone(r.Domains)
	return &c
}

func (r *record) save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = durable.WriteFile(path, append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("save app %s: %w", r.Name, err)
	}
	return nil
}

func loadRecord(path string) (*record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// nextSlot returns a number that no app has ever had.
func (l layout) nextSlot() (int, error) {
	last := 0
	data, err := os.ReadFile(l.slots())
	if err == nil {
		last, err = strconv.Atoi(strings.TrimSpace(string(data)))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("number the app: %w", err)
	}
	last++
	if err := durable.WriteFile(l.slots(), []byte(strconv.Itoa(last)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("number the app: %w", err)
	}
	return last, nil
}
