//go:build unix

package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting"
	"github.com/goparty-dev/party/internal/hosting/unit"
)

type installOptions struct {
	formatOptions
	root   string
	dryRun bool
}

func newHostInstall(s *streams) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:   "install [-- FLAGS OF serve]",
		Short: "Make it a service of systemd",
		Long: `install puts this program to ` + unit.ProgramPath + ` and its unit to
` + unit.UnitPath + `, with the flags behind -- for serve. Doing it again changes only
what is not as it should be. It starts nothing; it says how.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.run(cmd, s, args)
		},
	}
	cmd.Flags().StringVar(&o.root, "root", "/", "`folder` that stands for /, to prepare an image")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the unit and write nothing")
	o.formatFlag(cmd)
	return cmd
}

func (o *installOptions) run(cmd *cobra.Command, s *streams, args []string) error {
	var serve hostFlags
	check := &cobra.Command{Use: "party host serve"}
	serve.add(check)
	if err := check.ParseFlags(args); err != nil {
		return flagError(check, err)
	}
	if check.Flags().NArg() > 0 {
		return usagef(cmd, "unexpected argument %q: behind -- stand flags of serve", check.Flags().Arg(0))
	}
	opts, err := serve.options(cmd)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	u := unit.Options{Root: o.root, Program: program, Args: args}
	for _, dir := range []string{opts.Data, opts.Run} {
		if dir != hosting.DefaultData && dir != hosting.DefaultRun {
			u.Writable = append(u.Writable, dir)
		}
	}
	if filepath.IsAbs(opts.Snapshots) {
		u.Writable = append(u.Writable, opts.Snapshots)
	}
	if o.dryRun {
		text, err := unit.Render(u)
		if err == nil {
			_, err = s.out.Write(text)
		}
		return err
	}
	changes, err := unit.Install(u)
	if err != nil {
		return err
	}
	return o.answer(s, changes, func() {
		for _, c := range changes {
			word := "is as it should be"
			if c.Changed {
				word = "written"
			}
			s.printf("%s: %s\n", c.Path, word)
		}
		s.printf("To start it, or start it again: systemctl daemon-reload && systemctl enable %s && systemctl restart %[1]s\n", unit.Name)
	})
}
