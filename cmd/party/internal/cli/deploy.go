package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/manifest"
)

type deployOptions struct {
	appOptions
	targetOptions
	place    string
	domains  []string
	vars     []string
	withVars bool
	message  string
	dryRun   bool
	yes      bool
	noWait   bool
}

func newDeploy(s *streams) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:     "deploy [server.go|dir]",
		Aliases: []string{"publish"},
		Short:   "Build, and ship it to a host with every socket open",
		Long: `deploy builds the program for the system of the host, says what the new version changes there, uploads it if the
host does not have it, and waits until it serves and is through its probation. Rooms move to it one by
one; no socket closes and no message is lost.

It asks before a migration that deletes rooms. Where nobody can be asked that needs --yes.`,
		Example: `  party deploy
  party deploy --preview new-colors
  party deploy --dry-run`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.place = args[0]
			}
			vars, err := o.validate(cmd)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), s, vars)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.domains, "domain", nil, "host `name` that clients use besides the one that the host gives; may be given several times")
	f.StringArrayVarP(&o.vars, "var", "v", nil, "variable to set first: `NAME=VALUE`, or NAME for the value in this environment; may be given several times")
	f.BoolVar(&o.withVars, "with-vars", false, "set the variables of .env first")
	f.StringVarP(&o.message, "message", "m", "", "what to note of this version")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would change")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask, delete what the migrations delete")
	o.targetFlags(cmd)
	f.BoolVar(&o.noWait, "no-wait", false, "end when the rooms are handed over, not with the probation")
	o.appFlags(cmd)
	return cmd
}

// maxMessage is how long a note may be, in bytes.
const maxMessage = 1 << 10

func (o *deployOptions) validate(cmd *cobra.Command) (map[string]string, error) {
	for _, d := range o.domains {
		if err := api.CheckDomain(d); err != nil {
			return nil, usagef(cmd, "%v", err)
		}
	}
	if len(o.message) > maxMessage {
		return nil, usagef(cmd, "--message has %d bytes, at most %d fit", len(o.message), maxMessage)
	}
	if err := o.validateTarget(cmd, o.host); err != nil {
		return nil, err
	}
	if err := o.validateFormat(cmd); err != nil {
		return nil, err
	}
	return givenVars(cmd, o.vars)
}

func (o *deployOptions) run(ctx context.Context, s *streams, vars map[string]string) error {
	p, err := findProject(o.place)
	if err != nil {
		return err
	}
	app, err := o.instance(p)
	if errors.Is(err, errNoApp) {
		o.name = p.name() // a project without a manifest is called like its folder
		app, err = o.instance(p)
	}
	if err != nil {
		return err
	}
	if o.withVars {
		if vars, err = withFile(o.talk(s), p, vars); err != nil {
			return err
		}
	}
	open := o.connect
	if o.target != "" {
		open = o.connectTarget
	}
	c, err := open(ctx, s, p)
	if err != nil {
		return err
	}
	defer c.Close()
	return o.ship(ctx, s, c, p, app, vars)
}

// withFile adds the variables of .env. Those that are given win.
func withFile(s *streams, p *project, given map[string]string) (map[string]string, error) {
	path := filepath.Join(p.root(), envFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--with-vars: %w", err)
	}
	vars, list := manifest.ParseEnv(path, data)
	if list.HasErrors() {
		return nil, list
	}
	s.report(list)
	maps.Copy(vars, given)
	return vars, nil
}

// ship builds, uploads, plans, asks and deploys.
func (o *deployOptions) ship(ctx context.Context, s *streams, c *client.Client, p *project, app string, vars map[string]string) (err error) {
	talk := o.talk(s)
	// First, so that nothing is built for a host that does not answer or a token that is of no use.
	who, err := c.Whoami(ctx)
	if err != nil {
		return err
	}
	if err := mayDeploy(&who.Token, app, vars); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "party-deploy-")
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	blob, err := buildFor(ctx, talk, p, who.Host.System, filepath.Join(dir, p.name()))
	if err != nil {
		return err
	}
	if most := who.Host.MaxBlob; most > 0 && blob.Size > most {
		return fmt.Errorf("the program has %s, and %s takes at most %s", megabytes(blob.Size), c.Name(), megabytes(most))
	}
	r := api.DeployRequest{Binary: blob.Hash, Message: o.message, Vars: vars, NoWait: o.noWait}
	if r.Domains, err = o.allDomains(ctx, c, p, app); err != nil {
		return err
	}
	if err := upload(ctx, talk, c, app, blob); err != nil {
		return err
	}
	plan, err := c.Plan(ctx, app, r)
	if err != nil {
		return err
	}
	talk.compareMessages(ctx, &plan, p)
	if o.dryRun {
		if err := o.answer(s, plan, func() { s.tellPlan(&plan) }); err != nil || plan.Refused == "" {
			return err
		}
		return fmt.Errorf("the host would refuse version %s: %s", plan.Version.ID, plan.Refused)
	}
	talk.tellPlan(&plan)
	switch {
	case plan.Refused != "":
		return fmt.Errorf("the host refuses version %s: %s", plan.Version.ID, plan.Refused)
	case plan.Destructive && !o.yes:
		if err := talk.confirm("this deletes rooms with all that they have stored, after a backup at the host"); err != nil {
			return err
		}
	}
	r.Destructive = plan.Destructive
	course := newCourse(talk)
	course.url, course.version = plan.URL, plan.Version.ID
	err = c.Deploy(ctx, app, r, course.event)
	if err = course.settle(ctx, c, app, err); err != nil {
		return err
	}
	out := course.outcome(app)
	out.Same = plan.Same
	return o.answer(s, out, func() { course.tell(s, "Deployed", app) })
}

// mayDeploy says what a token lacks for a deploy.
func mayDeploy(t *api.Token, app string, vars map[string]string) error {
	needed := []api.Right{api.Deploy}
	if len(vars) > 0 {
		needed = append(needed, api.EnvVar)
	}
	for _, r := range needed {
		if !t.Allows(r, app) {
			return fmt.Errorf("token %q lacks the right %s in %s: it has %s in %s", t.Name, r, app, rightsOf(t), appsOf(t))
		}
	}
	return nil
}

// buildFor builds the program for a system, os/arch.
func buildFor(ctx context.Context, s *streams, p *project, system, output string) (client.Blob, error) {
	goos, arch, ok := strings.Cut(system, "/")
	if !ok {
		return client.Blob{}, fmt.Errorf("the host says that it runs on %q, which is no os/arch", system)
	}
	b := buildOptions{system: goos, arch: arch}
	if _, err := b.buildAs(ctx, s, p, output, p.name()); err != nil {
		return client.Blob{}, err
	}
	return client.NewBlob(output)
}

// allDomains are the app's domains with the new ones; nil if there are no new ones. The manifest's is that
// of the app itself, not of its previews.
func (o *deployOptions) allDomains(ctx context.Context, c *client.Client, p *project, app string) ([]string, error) {
	more := slices.Clone(o.domains)
	if d := p.manifest.Deploy.Domain; d != "" && o.preview == "" {
		more = append(more, strings.ToLower(d))
	}
	if len(more) == 0 {
		return nil, nil
	}
	info, err := c.Info(ctx, app)
	if problem := (*api.Problem)(nil); err != nil && !(errors.As(err, &problem) && problem.Code == api.CodeNotFound) {
		return nil, err
	}
	all := append(slices.Clone(info.Domains), more...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// upload takes the program to the host, and shows how far it is to who can see it.
func upload(ctx context.Context, s *streams, c *client.Client, app string, blob client.Blob) error {
	var each func(int64)
	live := colorful(s.err)
	if live {
		shown := int64(-1)
		each = func(sent int64) {
			if percent := 100 * sent / max(blob.Size, 1); percent != shown {
				shown = percent
				fmt.Fprintf(s.err, "\rUploading: %d %% ", percent)
			}
		}
	}
	skipped, err := c.Upload(ctx, app, blob, each)
	if live && !skipped {
		fmt.Fprint(s.err, "\r                \r")
	}
	if err != nil {
		return err
	}
	if skipped {
		s.printf("The host has it already.\n")
	} else {
		s.printf("Uploaded %s\n", megabytes(blob.Size))
	}
	return nil
}

// tellPlan says what a deploy changes.
func (s *streams) tellPlan(p *api.Plan) {
	switch {
	case p.New:
		s.printf("%s is new: version %s\n", p.App, versionOf(&p.Version))
	case p.Same:
		s.printf("%s serves version %s already\n", p.App, versionOf(&p.Version))
	default:
		s.printf("%s: version %s, after %s\n", p.App, versionOf(&p.Version), versionOf(p.Serving))
	}
	line := func(what string, words []string) {
		if len(words) > 0 {
			s.printf("  %-20s %s\n", what, strings.Join(words, ", "))
		}
	}
	line("new parties", p.PartiesAdded)
	line("parties gone", p.PartiesRemoved)
	for _, m := range p.Migrations {
		s.printf("  %-20s %s\n", "migration "+m.Tag, migrationText(&m))
	}
	for _, m := range p.Messages {
		what := "message"
		if m.Breaking {
			what = "BREAKING message"
		}
		s.printf("  %-20s %s: %s\n", what, m.Where, m.Change)
	}
	if p.MessagesUnknown != "" {
		s.printf("  %-20s not compared: %s\n", "messages", p.MessagesUnknown)
	}
	line("variables set", p.VarsSet)
	line("new domains", p.Domains)
	line("domains gone", p.Gone)
	line("after a restart", p.LaterKeys)
	if p.Restart != "" {
		s.printf("  sockets are closed with 1012 and connect again: %s\n", p.Restart)
	}
}

// migrationText says what becomes of the rooms.
func migrationText(m *api.Migration) string {
	var parts []string
	rooms := func(party string) string {
		if n, ok := m.Rooms[party]; ok {
			return " (" + plural(n, "room") + ")"
		}
		return ""
	}
	if len(m.New) > 0 {
		parts = append(parts, "new "+strings.Join(m.New, ", "))
	}
	for _, r := range m.Renamed {
		parts = append(parts, "renames "+r.From+rooms(r.From)+" to "+r.To)
	}
	for _, party := range m.Deleted {
		parts = append(parts, "DELETES "+party+rooms(party))
	}
	return cmp.Or(strings.Join(parts, "; "), "nothing")
}
