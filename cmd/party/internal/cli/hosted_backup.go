package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

type backupOptions struct {
	appOptions
	output string
	yes    bool
}

func newBackup(s *streams) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Back up what an app's rooms have stored",
		Long: `backup makes a consistent copy of what all rooms of an app have stored, while they run. It stays at the
host; with -o it is brought here as well. The app's own restore command reads the file.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error { return o.make(ctx, s, c, app) })
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`file` to bring the backup to; one that is there is not replaced")
	o.appFlags(cmd)
	cmd.AddCommand(newBackupList(s), newBackupGet(s), newBackupRestore(s))
	return cmd
}

func (o *backupOptions) make(ctx context.Context, s *streams, c *client.Client, app string) error {
	if o.output != "" {
		// Before the host has worked for nothing.
		if _, err := os.Lstat(o.output); err == nil {
			return fmt.Errorf("%s is there already and is left as it is", o.output)
		}
	}
	b, err := c.NewBackup(ctx, app)
	if err != nil {
		return err
	}
	if o.output != "" {
		if err := bring(ctx, c, app, b.ID, o.output); err != nil {
			return err
		}
	}
	return o.answer(s, b, func() {
		s.printf("Backed up %s as %s: %s\n", app, b.ID, megabytes(b.Size))
		if o.output != "" {
			s.printf("Wrote %s\n", shown(o.output))
		}
	})
}

// bring downloads a backup into a file that is not there yet; it has its name when it is complete.
func bring(ctx context.Context, c *client.Client, app, id, file string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("bring the backup: %w", err)
		}
	}()
	tmp, err := os.CreateTemp(filepath.Dir(file), ".backup-") // for its user's eyes only
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // its other name stays
	_, err = c.Download(ctx, app, id, tmp)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), file) // unlike a rename it replaces nothing
}

func newBackupList(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the backups of an app at its host",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				backups, err := c.Backups(ctx, app)
				if err != nil {
					return err
				}
				return o.answer(s, notNil(backups), func() { s.tellBackups(backups) })
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

func (s *streams) tellBackups(backups []api.Backup) {
	var rows [][]string
	for _, b := range backups {
		rows = append(rows, []string{b.ID, b.Time.Format(time.RFC3339), megabytes(b.Size), b.Kind})
	}
	s.table([]string{"BACKUP", "TIME", "SIZE", "WHY"}, rows)
}

func newBackupGet(s *streams) *cobra.Command {
	var o appOptions
	cmd := &cobra.Command{
		Use:   "get ID FILE",
		Short: "Bring a backup here",
		Args:  exactly(2, "the backup, as \"party backup list\" shows it, and the file to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				if err := bring(ctx, c, app, args[0], args[1]); err != nil {
					return err
				}
				out := struct {
					ID   string `json:"id"`
					File string `json:"file"`
				}{args[0], args[1]}
				return o.answer(s, out, func() { s.printf("Wrote %s\n", shown(args[1])) })
			})
		},
	}
	o.appFlags(cmd)
	return cmd
}

func newBackupRestore(s *streams) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "restore ID",
		Short: "Make a backup what an app's rooms have stored",
		Long: `restore stops an app, which closes its sockets, makes the backup its stored state, and starts it. What was
stored since is lost. It needs the right admin.`,
		Args: exactly(1, "the backup, as \"party backup list\" shows it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error {
				return o.restore(ctx, s, c, app, args[0])
			})
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	o.appFlags(cmd)
	return cmd
}

func (o *backupOptions) restore(ctx context.Context, s *streams, c *client.Client, app, id string) error {
	if !o.yes {
		if err := s.confirmName(fmt.Sprintf("this closes the sockets of %s, and what its rooms have stored since backup %s is lost", app, id), app); err != nil {
			return err
		}
	}
	course := newCourse(o.talk(s))
	err := c.Restore(ctx, app, id, course.event)
	if err = course.settle(ctx, c, app, err); err != nil {
		return err
	}
	return o.answer(s, course.outcome(app), func() { s.printf("Restored %s from %s: %s\n", app, id, course.url) })
}
