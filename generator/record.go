package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// recordedParties are the parties that migrations leave behind, each with the
// place of the migration that made it what it is.
func recordedParties(ms []manifest.Migration) map[string]int {
	at := make(map[string]int)
	for n, m := range ms {
		for _, party := range m.New {
			at[party] = n
		}
		for _, r := range m.Renamed {
			delete(at, r.From)
			at[r.To] = n
		}
		for _, party := range m.Deleted {
			delete(at, party)
		}
	}
	return at
}

// Unrecorded returns the parties of the model that no migration knows, sorted.
func (m *Model) Unrecorded(ms []manifest.Migration) []string {
	at := recordedParties(ms)
	var found []string
	for r := range m.AllRooms() {
		if _, ok := at[r.Party]; !ok && r.Party != "" {
			found = append(found, r.Party)
		}
	}
	slices.Sort(found)
	return found
}

// Vanished returns the parties that migrations know and the model does not, sorted.
func (m *Model) Vanished(ms []manifest.Migration) []string {
	at := recordedParties(ms)
	for r := range m.AllRooms() {
		delete(at, r.Party)
	}
	return sortedKeys(at)
}

// NextTag returns a tag that no migration has: v1, v2 and so on.
func NextTag(ms []manifest.Migration) string {
	for n := len(ms) + 1; ; n++ {
		tag := fmt.Sprintf("v%d", n)
		if !slices.ContainsFunc(ms, func(m manifest.Migration) bool { return m.Tag == tag }) {
			return tag
		}
	}
}

// record compares the rooms with the recorded migrations, and records those that are new. A party that has
// vanished is an error: what its rooms have stored must not be forgotten silently.
func (r *Result) record(m *Manifest) error {
	if m == nil || m.Source == nil {
		return nil
	}
	r.Model.Migrations = m.Migrations
	added := r.Model.Unrecorded(m.Migrations)
	for _, party := range r.Model.Vanished(m.Migrations) {
		d := r.Diagnostics.Errorf(m.place(party), "vanished-party", "party %q is recorded in the manifest, and no room type has that name any more", party)
		d.Hint = vanishedHint(party, added)
	}
	if r.Diagnostics.HasErrors() || len(added) == 0 {
		return nil
	}
	step := manifest.Migration{Tag: NextTag(m.Migrations), New: added}
	data, err := manifest.AppendMigration(m.Source, step)
	if err != nil {
		return err
	}
	r.Model.Migrations = append(slices.Clip(m.Migrations), step)
	r.Manifest = &File{Path: m.Path, Data: data}
	return nil
}

func vanishedHint(party string, added []string) string {
	to := "NEW"
	if len(added) > 0 {
		to = strings.Join(added, "|")
	}
	if near := diag.Suggest(party, added); near != "" {
		to = near
	}
	return fmt.Sprintf("its rooms keep what they have stored under another name:  party migrations rename %s %s\nor they are deleted, with all they have stored:  party migrations delete %s", party, to, party)
}

// place is where the migration stands that made a party what it is.
func (m *Manifest) place(party string) diag.Position {
	if at := recordedParties(m.Migrations)[party]; at < len(m.MigrationsPos) {
		return m.MigrationsPos[at]
	}
	return diag.Position{File: m.Path}
}
