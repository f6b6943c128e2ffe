package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

func newVersions(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "versions",
		Short: "List the versions of an app, and which can be gone back to",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				versions, err := c.Versions(ctx, app)
				if err != nil {
					return err
				}
				return o.answer(s, notNil(versions), func() { s.tellVersions(versions) })
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

func (s *streams) tellVersions(versions []api.Version) {
	var rows [][]string
	for _, v := range versions {
		rows = append(rows, []string{v.ID, v.State, v.Label, v.Deployed.Format(time.RFC3339), v.By, v.Message})
	}
	s.table([]string{"VERSION", "STATE", "BUILT FROM", "DEPLOYED", "BY", "MESSAGE"}, rows)
}

type rollbackOptions struct {
	appOptions
	noWait bool
}

func newRollback(s *streams) *cobra.Command {
	var o rollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback [VERSION]",
		Short: "Go back to an earlier version, with every socket open",
		Long: `rollback hands the rooms back to the version before, or to the one that is named. What the rooms have
stored stays. "party versions" lists those that can be gone back to.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := api.RollbackRequest{NoWait: o.noWait}
			if len(args) > 0 {
				r.Version = args[0]
			}
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error { return o.run(ctx, s, c, app, r) })
		},
	}
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "end when the rooms are handed over, not with the probation")
	o.appFlags(cmd)
	return cmd
}

func (o *rollbackOptions) run(ctx context.Context, s *streams, c *client.Client, app string, r api.RollbackRequest) error {
	course := newCourse(o.talk(s))
	err := c.Rollback(ctx, app, r, course.event)
	if err = course.settle(ctx, c, app, err); err != nil {
		return err
	}
	return o.answer(s, course.outcome(app), func() { course.tell(s, "Went back to", app) })
}
