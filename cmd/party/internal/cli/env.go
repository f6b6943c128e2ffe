package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

func newEnv(s *streams) *cobra.Command {
	return newGroup("env", "Set and remove the variables of an app",
		`Variables are what room code reads with Env. At a host they are kept encrypted, and win over those of
party.json. Values are read from the terminal or stdin, and are not shown.`,
		newEnvList(s), newEnvAdd(s), newEnvRemove(s), newEnvPull(s), newEnvPush(s))
}

func newEnvList(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the names of an app's variables",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				env, err := c.EnvNames(ctx, app)
				if err != nil {
					return err
				}
				env.Names = notNil(env.Names)
				return o.answer(s, env, func() {
					for _, name := range env.Names {
						s.printf("%s\n", name)
					}
				})
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

func newEnvAdd(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Set a variable of an app",
		Long: `add asks for the value without showing it, or takes what is piped into it without the last line end. NAME=VALUE
works too, but leaves the value in the shell's history and for a moment in the list of processes.`,
		Example: "  party env add API_KEY < key.txt",
		Args:    exactly(1, "the name of the variable"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, value, given := strings.Cut(args[0], "=")
			if err := api.CheckVar(name); err != nil {
				return usagef(cmd, "%v", err)
			}
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				if given {
					fmt.Fprintf(s.err, "party: warning: a value in the command line stays in the shell's history: pipe it in, or type it when asked\n")
				} else {
					var err error
					if value, err = s.secret("Value of " + name + " (not shown): "); err != nil {
						return err
					}
				}
				env, err := c.SetEnv(ctx, app, map[string]string{name: value})
				if err != nil {
					return err
				}
				return o.answer(s, env, func() { s.tellEnv(&env, "Set "+name) })
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

// tellEnv says what was done, and from when on it counts.
func (s *streams) tellEnv(e *api.EnvNames, what string) {
	s.printf("%s.\n", what)
	if e.Pending {
		s.printf("Rooms see it with the next deploy.\n")
	}
}

type envRemoveOptions struct {
	appOptions
	all, yes bool
}

func newEnvRemove(s *streams) *cobra.Command {
	var o envRemoveOptions
	cmd := &cobra.Command{
		Use:   "remove NAME...",
		Short: "Remove variables of an app",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all != (len(args) == 0) {
				return usagef(cmd, "name the variables to remove, or all of them with --all")
			}
			for _, name := range args {
				if err := api.CheckVar(name); err != nil {
					return usagef(cmd, "%v", err)
				}
			}
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				return o.run(ctx, s, c, app, args)
			})
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "remove all variables")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	o.appFlags(cmd)
	return cmd
}

func (o *envRemoveOptions) run(ctx context.Context, s *streams, c *client.Client, app string, names []string) error {
	var env api.EnvNames
	var err error
	if o.all {
		if !o.yes {
			if err := s.confirm("this removes all variables of " + app); err != nil {
				return err
			}
		}
		env, err = c.ReplaceEnv(ctx, app, map[string]string{})
	}
	for _, name := range names {
		if env, err = c.RemoveEnv(ctx, app, name); err != nil {
			break
		}
	}
	if err != nil {
		return err
	}
	env.Names = notNil(env.Names)
	return o.answer(s, env, func() {
		what := "Removed " + strings.Join(names, ", ")
		if o.all {
			what = "Removed all variables"
		}
		s.tellEnv(&env, what)
	})
}

// givenVars reads what --var may say: NAME=VALUE, or NAME for what this program's environment has.
func givenVars(cmd *cobra.Command, args []string) (map[string]string, error) {
	vars := make(map[string]string, len(args))
	for _, a := range args {
		name, value, given := strings.Cut(a, "=")
		if err := api.CheckVar(name); err != nil {
			return nil, usagef(cmd, "--var: %v", err)
		}
		if !given {
			if value, given = os.LookupEnv(name); !given {
				return nil, usagef(cmd, "--var %s: there is no such variable in the environment, and no value is given", name)
			}
		}
		vars[name] = value
	}
	return vars, nil
}
