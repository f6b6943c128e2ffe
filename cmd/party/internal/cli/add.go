package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/scaffold"
)

type addOptions struct {
	name      string
	hibernate bool
	requests  bool
}

func newAdd(s *streams) *cobra.Command {
	var o addOptions
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a room type to the project",
		Long: `add writes a Go file with a new room type, and generates. NAME is the party's name or
the type's, game-room or GameRoom. It works from anywhere in the project.`,
		Example: "  party add game-room --hibernate",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "which room type? Give it a name")
			}
			return atMost(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return o.run(cmd, s)
		},
	}
	cmd.Flags().BoolVar(&o.hibernate, "hibernate", false, "let its rooms be dropped from memory while sockets are open")
	cmd.Flags().BoolVar(&o.requests, "http", false, "answer HTTP requests too")
	return cmd
}

func (o *addOptions) run(cmd *cobra.Command, s *streams) error {
	p, err := findProject("")
	if err != nil {
		return err
	}
	room, err := scaffold.NewRoom(scaffold.RoomOptions{
		Dir: p.dir, Name: o.name, PartyOf: generator.PartyName, Hibernate: o.hibernate, Requests: o.requests,
	})
	if name := (*scaffold.NameError)(nil); errors.As(err, &name) {
		return usagef(cmd, "%v", err)
	}
	if err == nil {
		err = room.Write()
	}
	if err != nil {
		return fmt.Errorf("add a room type: %w", err)
	}
	file := filepath.Join(p.dir, room.Files[0].Path)
	s.printf("Added %s: rooms at /%s/%s/:room\n", shown(file), p.manifest.Prefix, room.Party)
	res, err := p.generate()
	if err != nil {
		return err
	}
	w, err := s.write(res)
	s.tell(w)
	return err
}
