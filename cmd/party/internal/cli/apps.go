package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

func newList(s *streams) *cobra.Command {
	var o hostOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the apps of a host",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.listApps(cmd.Context(), s)
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func (o *hostOptions) listApps(ctx context.Context, s *streams) error {
	p, _ := findProject("") // only its target is of use here
	c, err := o.connect(ctx, s, p)
	if err != nil {
		return err
	}
	defer c.Close()
	apps, err := c.Apps(ctx)
	if err != nil {
		return err
	}
	return o.answer(s, notNil(apps), func() {
		if len(apps) == 0 {
			s.printf("No apps at %s yet. \"party deploy\" makes one.\n", c.Name())
			return
		}
		var rows [][]string
		for _, a := range apps {
			rows = append(rows, []string{a.Name, string(a.State), versionOf(a.Version), a.URL})
		}
		s.table([]string{"NAME", "STATE", "VERSION", "URL"}, rows)
	})
}

func versionOf(v *api.Version) string {
	if v == nil {
		return "-"
	}
	return strings.TrimSpace(v.ID + " " + v.Label)
}

func newInfo(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Say how an app is doing",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				info, err := c.Info(ctx, app)
				if err != nil {
					return err
				}
				return o.answer(s, info, func() { s.tellInfo(&info) })
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

func (s *streams) tellInfo(i *api.AppInfo) {
	rows := [][2]string{
		{"name", i.Name}, {"url", i.URL}, {"domains", strings.Join(i.Domains, ", ")}, {"state", string(i.State)}, {"problem", i.Problem},
	}
	if i.RetryAt != nil {
		rows = append(rows, [2]string{"starts again", i.RetryAt.Format(time.RFC3339)})
	}
	if v := i.Version; v != nil {
		rows = append(rows, [2]string{"version", versionOf(v)}, [2]string{"message", v.Message},
			[2]string{"deployed", fmt.Sprintf("%s by %s", v.Deployed.Format(time.RFC3339), v.By)})
	}
	rows = append(rows, [2]string{"parties", strings.Join(i.Parties, ", ")})
	if i.Sockets != nil {
		rows = append(rows, [2]string{"sockets", fmt.Sprint(*i.Sockets)})
	}
	rows = append(rows, [2]string{"variables", strings.Join(i.Env, ", ")}, [2]string{"previews", strings.Join(i.Previews, ", ")})
	if i.Started != nil {
		rows = append(rows, [2]string{"process", fmt.Sprintf("%d since %s, %s", i.PID, i.Started.Format(time.RFC3339), plural(i.Restarts, "restart"))})
	}
	s.fields(append(rows, [2]string{"disk", megabytes(i.Disk)}))
}

type deleteOptions struct {
	appOptions
	yes, purge bool
}

func newDelete(s *streams) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Take an app off a host",
		Long: `delete ends an app, closes its sockets and removes its rooms. A last backup of what they have stored stays at the
host, unless --purge is given. Previews are apps of their own and stay.`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error { return o.run(ctx, s, c, app) })
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.purge, "purge", false, "keep no backup; needs the right admin")
	o.appFlags(cmd)
	return cmd
}

func (o *deleteOptions) run(ctx context.Context, s *streams, c *client.Client, app string) error {
	if !o.yes {
		what := fmt.Sprintf("this ends %s at %s and removes its rooms; a backup stays at the host", app, c.Name())
		if o.purge {
			what = fmt.Sprintf("this ends %s at %s and removes all that its rooms have stored, for ever", app, c.Name())
		}
		if err := s.confirmName(what, app); err != nil {
			return err
		}
	}
	gone, err := c.Delete(ctx, app, o.purge)
	if err != nil {
		return err
	}
	return o.answer(s, gone, func() {
		s.printf("Deleted %s.\n", gone.Name)
		if gone.Backup != "" {
			s.printf("The last backup is %s on the host.\n", gone.Backup)
		}
		if len(gone.Previews) > 0 {
			s.printf("Its previews are still there: %s\n", strings.Join(gone.Previews, ", "))
		}
	})
}
