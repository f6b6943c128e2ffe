package generator

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goparty-dev/party/internal/dataform"
	"github.com/goparty-dev/party/internal/diag"
)

// dataFile holds the forms in which persisted fields have been stored. Other than all that is generated, it is read
// again: what does not fit it is a change that needs a data migration.
const dataFile = "party_data_gen.go"

// recordData compares the persisted fields of a part with what is recorded of them, and records what is new.
func (m *Model) recordData(in *Manifest, list *diag.List) {
	old := readRecords(filepath.Join(m.dir, dataFile))
	for i := range m.Rooms {
		r := &m.Rooms[i]
		if len(r.Persist) == 0 && len(r.Migrate) == 0 {
			continue
		}
		version, forms := r.dataVersion(), make(map[string]dataform.Form)
		for _, f := range r.Persist {
			forms[f.Name] = dataform.Of(f.typ)
		}
		wrong, next := dataform.Compare(recordsOf(old, r.Party, in), r.Party, r.Type, version, forms)
		m.Data = append(m.Data, next...)
		for _, w := range wrong {
			r.tellMismatch(w, version, list)
		}
	}
}

// dataVersion is the newest version of the data that the room type knows.
func (r *Room) dataVersion() int {
	if n := len(r.Migrate); n > 0 {
		return r.Migrate[n-1].Version
	}
	return 1
}

func (r *Room) tellMismatch(w dataform.Mismatch, version int, list *diag.List) {
	pos, what := r.pos, "field "+strconv.Quote(w.Field)
	if w.Field == "" {
		what = r.Type
	}
	for _, f := range r.Persist {
		if f.Name == w.Field {
			pos, what = f.pos, "field "+strings.Join(f.Path, ".")
		}
	}
	d := list.Warnf(pos, "data-changed", "%s does not fit what rooms may have stored: %s", what, w.Text)
	d.Hint = "migrate what is stored:  " + prefix + verbMigrate + " " + strconv.Itoa(version+1) + "\nif nothing is, delete " + dataFile + " and generate again"
	if w.Field == "" {
		d.Hint = "bring the data migrations back: rooms that have been through them cannot start"
	}
}

// recordsOf returns the records of a party, or of the one that it is the new name of.
func recordsOf(all []dataform.Record, party string, in *Manifest) []dataform.Record {
	var found []dataform.Record
	for names := []string{party}; ; {
		for _, r := range all {
			if r.Party == party {
				found = append(found, r)
			}
		}
		before := renamedFrom(party, in)
		if len(found) > 0 || before == "" || slices.Contains(names, before) {
			return found
		}
		party, names = before, append(names, before)
	}
}

func renamedFrom(party string, in *Manifest) string {
	if in == nil {
		return ""
	}
	for _, step := range slices.Backward(in.Migrations) {
		for _, r := range step.Renamed {
			if r.To == party {
				return r.From
			}
		}
	}
	return ""
}

// readRecords reads the records that an earlier run has made. A file that cannot be read has none.
func readRecords(path string) []dataform.Record {
	data, err := os.ReadFile(path)
	if err != nil || !isOurs(data) {
		return nil
	}
	var found []dataform.Record
	for line := range strings.Lines(string(data)) {
		if r, ok := dataform.ParseRecord(strings.TrimSpace(line)); ok {
			found = append(found, r)
		}
	}
	return found
}

// printData prints the records.
func printData(m *Model) *printer {
	p := new(printer)
	p.line("%s\n\npackage %s\n", header, m.Package)
	p.line("// The forms in which rooms have stored their persisted fields: party, type, version of the data, field, form.")
	p.line("// A field that cannot read what is recorded here needs a data migration; party vet finds it.\n//")
	for _, r := range m.Data {
		p.line("%s", r)
	}
	return p
}
