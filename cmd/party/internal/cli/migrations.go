package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

type migrationsOptions struct {
	store string
	yes   bool
}

func newMigrations(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrations",
		Short: "Rename and delete parties without losing track of their data",
		Long: `Migrations are the recorded changes in the set of parties. They stand in party.json, by the
parties' names in URLs, and these commands write them: new room types are recorded by
generate, dev and build. A program takes its store through those that the store
has not been through when it starts, before any room opens.`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newMigrationsList(s), newMigrationsRename(s), newMigrationsDelete(s))
	return cmd
}

func newMigrationsList(s *streams) *cobra.Command {
	var o migrationsOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show what is recorded, and what a store has been through",
		Args:  atMost(0),
		RunE:  func(cmd *cobra.Command, args []string) error { return o.list(s) },
	}
	o.storeFlag(cmd)
	return cmd
}

func newMigrationsRename(s *streams) *cobra.Command {
	var o migrationsOptions
	return &cobra.Command{
		Use:     "rename OLD NEW",
		Short:   "Give the rooms of a party to another, with all they have stored",
		Long:    "rename records that the rooms of OLD are rooms of NEW from now on. Both are names of parties or of their Go types.",
		Example: "  party migrations rename Chat Talk",
		Args:    exactly(2, "the old name and the new one"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.rename(s, args[0], args[1]) },
	}
}

func newMigrationsDelete(s *streams) *cobra.Command {
	var o migrationsOptions
	cmd := &cobra.Command{
		Use:   "delete OLD",
		Short: "Delete the rooms of a party, with all they have stored",
		Long: `delete records that the party OLD is gone. The next start of the program deletes its rooms. If
the store has any with data, --yes is needed.`,
		Args: exactly(1, "the name of the party or of its Go type"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.delete(s, args[0]) },
	}
	o.storeFlag(cmd)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "delete although there are rooms with data")
	return cmd
}

func (o *migrationsOptions) storeFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.store, "store", "", "`folder` of the durable state (default: that of party dev)")
}

// exactly wants n arguments.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef(cmd, "give it %s", what)
		}
		return atMost(n)(cmd, args)
	}
}

// look surveys the store. Without --store it need not be there.
func (o *migrationsOptions) look(p *project) (survey sqlite.Survey, dir string, err error) {
	dir = o.store
	if dir == "" {
		if p.manifest.Persist == "" {
			return survey, "", nil
		}
		dir = p.manifest.Abs(p.manifest.Persist)
	}
	survey, err = sqlite.Look(filepath.Join(dir, server.StoreFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.store == "":
		return survey, "", nil
	case errors.Is(err, fs.ErrNotExist):
		return survey, "", fmt.Errorf("there is no store in %s: it would be the file %s", shown(dir), server.StoreFile)
	}
	return survey, dir, err
}

func (o *migrationsOptions) list(s *streams) error {
	p, err := findRecorded()
	if err != nil {
		return err
	}
	survey, dir, err := o.look(p)
	if err != nil {
		return err
	}
	if len(p.manifest.Migrations) == 0 {
		s.printf("No migrations are recorded. \"party generate\" records the first.\n")
	}
	for _, m := range p.manifest.Migrations {
		state := ""
		if dir != "" {
			state = "  not applied"
			if slices.Contains(survey.Applied, m.Tag) {
				state = "  applied"
			}
		}
		s.printf("%-6s %-40s%s\n", m.Tag, describe(m), state)
	}
	for _, tag := range survey.Applied {
		if !slices.ContainsFunc(p.manifest.Migrations, func(m manifest.Migration) bool { return m.Tag == tag }) {
			s.printf("%-6s %-40s  applied\n", tag, "not in party.json: a newer version did it")
		}
	}
	if dir != "" {
		s.printf("Store: %s\n", shown(filepath.Join(dir, server.StoreFile)))
	}
	return nil
}

// describe says what a migration does.
func describe(m manifest.Migration) string {
	var parts []string
	if len(m.New) > 0 {
		parts = append(parts, "new "+strings.Join(m.New, ", "))
	}
	for _, r := range m.Renamed {
		parts = append(parts, "renamed "+r.From+" to "+r.To)
	}
	if len(m.Deleted) > 0 {
		parts = append(parts, "deleted "+strings.Join(m.Deleted, ", "))
	}
	return strings.Join(parts, "; ")
}

func (o *migrationsOptions) rename(s *streams, from, to string) error {
	p, model, err := s.recordedModel()
	if err != nil {
		return err
	}
	old, err := vanished(p, model, from)
	if err != nil {
		return err
	}
	rooms := slices.Collect(model.AllRooms())
	i := slices.IndexFunc(rooms, func(r *generator.Room) bool { return r.Party == to || r.Type == to })
	if i < 0 {
		return fmt.Errorf("there is no room type %s: rename it in the code first", to)
	}
	next := rooms[i].Party
	if !slices.Contains(model.Unrecorded(p.manifest.Migrations), next) {
		return fmt.Errorf("party %q has rooms of its own already, which those of %q would mix with", next, old)
	}
	step := manifest.Migration{Renamed: []manifest.Rename{{From: old, To: next}}}
	return s.record(p, step, fmt.Sprintf("rooms of %s are rooms of %s", old, next))
}

func (o *migrationsOptions) delete(s *streams, name string) error {
	p, model, err := s.recordedModel()
	if err != nil {
		return err
	}
	old, err := vanished(p, model, name)
	if err != nil {
		return err
	}
	survey, dir, err := o.look(p)
	if err != nil {
		return err
	}
	if n := roomsOf(p, survey, old); n > 0 {
		what := fmt.Sprintf("party %s has %d rooms with data in %s", old, n, shown(dir))
		if n == 1 {
			what = fmt.Sprintf("party %s has one room with data in %s", old, shown(dir))
		}
		if !o.yes {
			return fmt.Errorf("%s: --yes deletes them when the program starts", what)
		}
		s.printf("%s\n", strings.ToUpper(what[:1])+what[1:])
	}
	return s.record(p, manifest.Migration{Deleted: []string{old}}, "rooms of "+old+" are deleted")
}

// roomsOf counts the rooms that a party will have when the store has been through what is recorded.
func roomsOf(p *project, survey sqlite.Survey, party string) int {
	count := survey.Rooms
	for _, m := range p.manifest.Migrations {
		if slices.Contains(survey.Applied, m.Tag) {
			continue
		}
		for _, r := range m.Renamed {
			count[r.To] += count[r.From]
			delete(count, r.From)
		}
		for _, party := range m.Deleted {
			delete(count, party)
		}
	}
	return count[party]
}

// findRecorded finds a project with a manifest.
func findRecorded() (*project, error) {
	p, err := findProject("")
	if err == nil && p.path == "" {
		err = errors.New("there is no party.json, in which migrations are recorded: write one, {} is enough")
	}
	return p, err
}

// recordedModel finds out what the code has and the manifest knows. That
// parties have vanished is why somebody asks.
func (s *streams) recordedModel() (*project, *generator.Model, error) {
	p, err := findRecorded()
	if err != nil {
		return nil, nil, err
	}
	res, err := p.generate()
	if err != nil {
		return nil, nil, err
	}
	others := slices.DeleteFunc(slices.Clone(res.Diagnostics), func(d diag.Diagnostic) bool { return d.Code == "vanished-party" })
	if others.HasErrors() {
		s.report(others)
		return nil, nil, errReported
	}
	return p, res.Model, nil
}

// vanished returns the recorded party that a user means by the name of a party or a type.
func vanished(p *project, model *generator.Model, name string) (string, error) {
	gone := model.Vanished(p.manifest.Migrations)
	for _, party := range gone {
		if party == name || party == generator.PartyName(name) {
			return party, nil
		}
	}
	for r := range model.AllRooms() {
		if r.Party == name || r.Type == name {
			return "", fmt.Errorf("party %q is still there, it is the room type %s: rename or remove that first", r.Party, r.Type)
		}
	}
	hint := "nothing has vanished"
	if len(gone) > 0 {
		hint = "what has vanished is " + strings.Join(gone, ", ")
	}
	return "", fmt.Errorf("no party %q is recorded: %s", name, hint)
}

// record adds a migration to the manifest and generates anew.
func (s *streams) record(p *project, step manifest.Migration, what string) error {
	step.Tag = generator.NextTag(p.manifest.Migrations)
	data, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("record a migration: %w", err)
	}
	if data, err = manifest.AppendMigration(data, step); err != nil {
		return err
	}
	m, list := manifest.Parse(p.path, data)
	if list.HasErrors() {
		return list
	}
	file := &generator.Result{Manifest: &generator.File{Path: p.path, Data: data}}
	if _, err := file.Write(); err != nil {
		return fmt.Errorf("record a migration: %w", err)
	}
	s.printf("Recorded %s in %s: from the next start on, %s.\n", step.Tag, shown(p.path), what)
	p.manifest = m
	res, err := p.generate()
	if err != nil {
		return err
	}
	w, err := s.write(res)
	s.tell(w)
	if errors.Is(err, errReported) {
		return nil // the migration is recorded; what else is wrong has been said
	}
	return err
}
