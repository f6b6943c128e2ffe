package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/manifest"
)

// envFile is the file that pull and push use unless another is named.
const envFile = ".env"

type envFileOptions struct {
	appOptions
	force, replace, yes bool
}

func newEnvPull(s *streams) *cobra.Command {
	var o envFileOptions
	cmd := &cobra.Command{
		Use:   "pull [FILE]",
		Short: "Write an app's variables into a file",
		Long: `pull writes the variables with their values into FILE, .env by default, for nobody else to read. If the file is there, --force
is needed: variables that only the file has stay in it, comments do not.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				return o.pull(ctx, s, c, app, fileOr(args))
			})
		},
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "write into a file that is there")
	o.appFlags(cmd)
	return cmd
}

func fileOr(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return envFile
}

// fileAnswer says what was done with a file of variables, without their values.
type fileAnswer struct {
	File    string   `json:"file"`
	Names   []string `json:"names"`
	Pending bool     `json:"pending,omitempty"`
}

func (o *envFileOptions) pull(ctx context.Context, s *streams, c *client.Client, app, file string) error {
	vars, err := o.readVars(s, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		vars = make(map[string]string)
	case err != nil:
		return err
	case !o.force:
		return fmt.Errorf("%s is there already: --force writes into it", file)
	}
	env, err := c.EnvValues(ctx, app)
	if err != nil {
		return err
	}
	maps.Copy(vars, env.Vars)
	if err := durable.WriteFile(file, manifest.FormatEnv(vars), 0o600); err != nil {
		return fmt.Errorf("write the variables: %w", err)
	}
	names := slices.Sorted(maps.Keys(env.Vars))
	return o.answer(s, fileAnswer{File: file, Names: notNil(names)}, func() {
		s.printf("Wrote %s of %s into %s\n", plural(len(names), "variable"), app, file)
	})
}

// readVars reads a file of variables.
func (o *envFileOptions) readVars(s *streams, file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the variables: %w", err)
	}
	vars, list := manifest.ParseEnv(file, data)
	if list.HasErrors() {
		return nil, list
	}
	s.report(list)
	return vars, nil
}

func newEnvPush(s *streams) *cobra.Command {
	var o envFileOptions
	cmd := &cobra.Command{
		Use:   "push [FILE]",
		Short: "Set the variables that a file has",
		Long: `push sets the variables of FILE, .env by default. Others stay, unless --replace is given. A file of variables that the app gets from
elsewhere is not to be put into version control.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				return o.push(ctx, s, c, app, fileOr(args))
			})
		},
	}
	cmd.Flags().BoolVar(&o.replace, "replace", false, "remove the variables that the file does not have")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask before variables are removed")
	o.appFlags(cmd)
	return cmd
}

func (o *envFileOptions) push(ctx context.Context, s *streams, c *client.Client, app, file string) error {
	vars, err := o.readVars(s, file)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(vars))
	for _, name := range names {
		if err := api.CheckVar(name); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(vars) == 0 && !o.replace {
		return fmt.Errorf("%s has no variables", file)
	}
	set := c.SetEnv
	if o.replace {
		if err := o.confirmReplace(ctx, s, c, app, names); err != nil {
			return err
		}
		set = c.ReplaceEnv
	}
	env, err := set(ctx, app, vars)
	if err != nil {
		return err
	}
	return o.answer(s, fileAnswer{File: file, Names: notNil(names), Pending: env.Pending}, func() {
		s.tellEnv(&env, fmt.Sprintf("Set %s of %s from %s", plural(len(names), "variable"), app, file))
	})
}

// confirmReplace asks if variables would go.
func (o *envFileOptions) confirmReplace(ctx context.Context, s *streams, c *client.Client, app string, names []string) error {
	if o.yes {
		return nil
	}
	now, err := c.EnvNames(ctx, app)
	if err != nil {
		return err
	}
	gone := slices.DeleteFunc(now.Names, func(name string) bool { return slices.Contains(names, name) })
	if len(gone) == 0 {
		return nil
	}
	return s.confirm(fmt.Sprintf("this removes %s of %s", plural(len(gone), "variable"), app))
}
