package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/roomfile"
)

// hostedRoom is a room as these commands' users write it.
type hostedRoom struct{ app, party, room string }

// parseHostedRoom reads APP/PARTY/ROOM. The room's name may have slashes in it.
func parseHostedRoom(cmd *cobra.Command, text string) (hostedRoom, error) {
	parts := strings.SplitN(text, "/", 3)
	if len(parts) < 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return hostedRoom{}, usagef(cmd, "%q is not APP/PARTY/ROOM", text)
	}
	return hostedRoom{parts[0], parts[1], parts[2]}, nil
}

func (r hostedRoom) String() string { return r.app + "/" + r.party + "/" + r.room }

type roomOptions struct {
	appOptions
	replace bool
}

func newPull(s *streams) *cobra.Command {
	var o roomOptions
	cmd := &cobra.Command{
		Use:   "pull APP/PARTY/ROOM FILE",
		Short: "Bring what one room has stored here",
		Long: `pull writes all that is durable of one room of an app to a file: its entries, its alarm, the version of its
data. The room is not disturbed. The file is text, and can be pushed to any room of the same type.`,
		Args: exactly(2, "the room, APP/PARTY/ROOM, and the file to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.forRoom(cmd, s, args[0], func(ctx context.Context, c *client.Client, r hostedRoom) error {
				return o.pull(ctx, s, c, r, args[1])
			})
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func newPush(s *streams) *cobra.Command {
	var o roomOptions
	cmd := &cobra.Command{
		Use:   "push APP/PARTY/ROOM FILE",
		Short: "Make a file what one room has stored",
		Long: `push makes a file that pull has written all that one room of an app has stored. The room leaves memory for
the moment; its sockets stay. A room that has data is left alone without --replace.`,
		Args: exactly(2, "the room, APP/PARTY/ROOM, and the file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.forRoom(cmd, s, args[0], func(ctx context.Context, c *client.Client, r hostedRoom) error {
				return o.push(ctx, s, c, r, args[1])
			})
		},
	}
	cmd.Flags().BoolVar(&o.replace, "replace", false, "put it in the place of what the room has stored")
	o.hostFlags(cmd)
	return cmd
}

func (o *roomOptions) forRoom(cmd *cobra.Command, s *streams, text string, do func(context.Context, *client.Client, hostedRoom) error) error {
	r, err := parseHostedRoom(cmd, text)
	if err != nil {
		return err
	}
	o.name = r.app
	return o.with(cmd, s, func(ctx context.Context, c *client.Client, _ string) error { return do(ctx, c, r) })
}

// movedRoom is the answer of pull and push.
type movedRoom struct {
	App     string `json:"app"`
	Party   string `json:"party"`
	Room    string `json:"room"`
	File    string `json:"file"`
	Entries int    `json:"entries"`
}

func (o *roomOptions) pull(ctx context.Context, s *streams, c *client.Client, r hostedRoom, file string) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".room-") // for its user's eyes only
	if err != nil {
		return fmt.Errorf("write the room: %w", err)
	}
	defer os.Remove(tmp.Name()) // its other name stays
	_, err = c.PullRoom(ctx, r.app, r.party, r.room, tmp)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	n, err := entriesOf(tmp.Name()) // it has been cut off if the host ended
	if err != nil {
		return fmt.Errorf("bring %s: %w", r, err)
	}
	if err := os.Link(tmp.Name(), file); err != nil { // unlike a rename it replaces nothing
		return fmt.Errorf("write the room: %w", err)
	}
	return o.answer(s, movedRoom{r.app, r.party, r.room, file, n}, func() { s.printf("Pulled %s to %s: %d entries\n", r, shown(file), n) })
}

func (o *roomOptions) push(ctx context.Context, s *streams, c *client.Client, r hostedRoom, file string) error {
	n, err := entriesOf(file)
	if err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	blob, err := client.NewBlob(file)
	if err != nil {
		return err
	}
	if err := c.PushRoom(ctx, r.app, r.party, r.room, blob, o.replace); err != nil {
		return err
	}
	return o.answer(s, movedRoom{r.app, r.party, r.room, file, n}, func() { s.printf("Pushed %s to %s: %d entries\n", shown(file), r, n) })
}

// entriesOf checks the file of a room and counts what is in it.
func entriesOf(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	_, entries, err := roomfile.Read(f)
	return len(entries), cmp.Or(err, f.Close())
}
