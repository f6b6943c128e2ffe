package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/scaffold"
	"github.com/goparty-dev/party/templates"
)

type initOptions struct {
	dir      string
	name     string
	template string
	dryRun   bool
}

func newInit(s *streams) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [dir]",
		Short: "Make a project that runs as it is",
		Long: `init writes a project into dir, by default the working directory: a server, a page,
party.json, and a go.mod unless the folder belongs to a module already. It
never overwrites a file: if one of them exists, it writes nothing.

Templates:
` + templateList(),
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.dir = args[0]
			}
			t, err := o.validate(cmd)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), s, t)
		},
	}
	cmd.Flags().StringVar(&o.template, "template", templates.All[0].Name, "what to start from: "+strings.Join(templateNames(), ", "))
	cmd.Flags().StringVar(&o.name, "name", "", "name of the project (default: that of the folder)")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only list what would be written")
	return cmd
}

func (o *initOptions) validate(cmd *cobra.Command) (templates.Template, error) {
	t, ok := templates.Find(o.template)
	if !ok {
		e := usagef(cmd, "unknown template %q", o.template)
		if e.hint = diag.DidYouMean(o.template, templateNames()); e.hint == "" {
			e.hint = "the templates are " + strings.Join(templateNames(), ", ")
		}
		return t, e
	}
	if o.name != "" {
		if err := scaffold.CheckName(o.name); err != nil {
			return t, usagef(cmd, "%v", err)
		}
	}
	return t, nil
}

func (o *initOptions) run(ctx context.Context, s *streams, t templates.Template) error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	p, err := scaffold.NewProject(ctx, scaffold.ProjectOptions{Dir: dir, Name: o.name, Template: t})
	if err != nil {
		return fmt.Errorf("make a project: %w", err)
	}
	if o.dryRun {
		return s.listPlan(&p.Plan)
	}
	if err := p.Write(); err != nil {
		return fmt.Errorf("make a project in %s: %w", shown(dir), err)
	}
	s.printf("Made %s, %s:\n", p.Name, t.About)
	s.printFiles(p.Files)
	s.tellModule(p)
	s.tellNext(p)
	return nil
}

// listPlan says what would be written, and fails if it would not be.
func (s *streams) listPlan(p *scaffold.Plan) error {
	conflicts, err := p.Conflicts()
	if err != nil {
		return err
	}
	if len(conflicts) > 0 {
		return &scaffold.ConflictError{Paths: conflicts}
	}
	s.printf("Would write into %s:\n", shown(p.Dir))
	s.printFiles(p.Files)
	return nil
}

func (s *streams) printFiles(files []scaffold.File) {
	for _, f := range files {
		s.printf("  %s\n", f.Path)
	}
}

func (s *streams) tellModule(p *scaffold.Project) {
	switch {
	case p.Module == "":
		s.printf("\ngo.mod takes party from %s,\nthe checkout that this command was built from, until it is published.\n", p.Checkout.Dir)
	case p.Unknown:
		s.printf("\nThe folder belongs to the module in %s, which does not require party yet:\n", shown(p.Module))
		s.printf("  go mod edit -require=%[1]s@v0.0.0 -replace=%[1]s=%[2]s && go mod tidy\n", scaffold.Module, p.Checkout.Dir)
	default:
		s.printf("\nThe folder belongs to the module in %s, so no go.mod was written.\n", shown(p.Module))
	}
}

func (s *streams) tellNext(p *scaffold.Project) {
	next := "party dev server.go"
	if slices.ContainsFunc(p.Files, func(f scaffold.File) bool { return f.Path == "package.json" }) {
		next = "npm ci && " + next // what the page imports is on npm
	}
	if dir := shown(p.Dir); dir != "." {
		next = "cd " + shellWord(dir) + " && " + next
	}
	s.printf("\nNext:\n  %s\n", next)
	if _, err := exec.LookPath("party"); errors.Is(err, exec.ErrNotFound) {
		file := filepath.Join(p.Dir, "server.go")
		s.printf("\nparty is not on your PATH. The same without it:\n  go run -C %s ./cmd/party dev %s\n", shellWord(p.Checkout.Dir), shellWord(file))
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:~+@%=-]+$`)

// shellWord quotes a word if a shell would take it for something else.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func templateNames() []string {
	var names []string
	for _, t := range templates.All {
		names = append(names, t.Name)
	}
	return names
}

func templateList() string {
	var b strings.Builder
	for _, t := range templates.All {
		fmt.Fprintf(&b, "  %-9s %s\n", t.Name, t.About)
	}
	return strings.TrimRight(b.String(), "\n")
}
