package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/generator"
)

type generateOptions struct {
	place   string
	check   bool
	diff    bool
	stdout  bool
	explain bool
}

func newGenerate(s *streams) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate [server.go|dir]",
		Short: "Write the code that joins annotated Go to the runtime",
		Long: `generate reads the annotations of a package and writes party_gen.go beside it, and
party_embed_gen.go, which puts the manifest and the assets into a built program. For a
program it does so for all packages of the module whose rooms it serves. What is written is
to be kept in version control.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.place = args[0]
			}
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(s)
		},
	}
	cmd.Flags().BoolVar(&o.check, "check", false, "write nothing; fail if a file is not up to date")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "write nothing; show what would change")
	cmd.Flags().BoolVar(&o.stdout, "stdout", false, "write nothing; print the files")
	cmd.Flags().BoolVar(&o.explain, "explain", false, "explain the annotations")
	return cmd
}

func (o *generateOptions) validate(cmd *cobra.Command) error {
	n := 0
	for _, set := range []bool{o.check, o.diff, o.stdout, o.explain} {
		if set {
			n++
		}
	}
	if n > 1 {
		return usagef(cmd, "--check, --diff, --stdout and --explain exclude each other")
	}
	return nil
}

func (o *generateOptions) run(s *streams) error {
	if o.explain {
		s.printf("%s", generator.Explain())
		return nil
	}
	p, err := findProject(o.place)
	if err != nil {
		return err
	}
	res, err := p.generate()
	if err != nil {
		return err
	}
	if !o.check && !o.diff && !o.stdout {
		w, err := s.write(res)
		s.tell(w)
		if err == nil && len(w.Changed)+len(w.Removed) == 0 {
			s.printf("Everything is up to date.\n")
		}
		return err
	}
	s.report(res.Diagnostics)
	switch {
	case res.Diagnostics.HasErrors():
		return errReported
	case o.check:
		return s.check(res)
	case o.diff:
		relative(res)
		diff, err := res.Diff()
		s.printf("%s", diff)
		return err
	default:
		return res.Print(s.out)
	}
}

// relative makes the result's paths those that a diff should have: it is applied where it was made.
func relative(res *generator.Result) {
	for i := range res.Files {
		res.Files[i].Path = shown(res.Files[i].Path)
	}
	for i := range res.Stale {
		res.Stale[i] = shown(res.Stale[i])
	}
}

// check fails if files are not what they would be, and names them.
func (s *streams) check(res *generator.Result) error {
	stale, err := res.Check()
	if err != nil {
		return err
	}
	if len(stale) == 0 {
		return nil
	}
	fmt.Fprintln(s.err, "party: not up to date:")
	for _, path := range stale {
		fmt.Fprintf(s.err, "  %s\n", shown(path))
	}
	fmt.Fprintln(s.err, `Run "party generate".`)
	return errReported
}
