package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/hosting/credentials"
)

type loginOptions struct {
	hostOptions
	stdin bool
}

func newLogin(s *streams) *cobra.Command {
	var o loginOptions
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Keep the token for a host",
		Long: `login asks for the token of a host, which "party host token new" on the server or "party token generate"
has made, checks it, and keeps it in the user's configuration folder, for nobody else to read. The
host of the last login is the one that the other commands speak to.

For ssh://USER@SERVER nothing is asked: whoever may get into the server may have the host make a token.

In scripts: party login --host URL --token-stdin < file. Or without login, with ` + credentials.EnvHost + ` and ` + credentials.EnvToken + ` in the
environment.`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.Flags().BoolVar(&o.stdin, "token-stdin", false, "read the token from stdin")
	o.hostFlags(cmd)
	return cmd
}

func (o *loginOptions) run(ctx context.Context, s *streams) error {
	p, _ := findProject("") // only its target is of use here
	l, err := o.login(p)
	if err != nil {
		return err
	}
	if credentials.IsSSH(l.Address) && !o.stdin {
		return o.bySSH(ctx, s, l)
	}
	read := func() (string, error) { return s.secret("Token for " + l.Address + " (not shown): ") }
	if _, terminal := s.terminal(); o.stdin {
		read = s.pipedSecret
	} else if !terminal {
		return fmt.Errorf("nobody can be asked for the token here: add --token-stdin and give it to stdin")
	}
	token, err := read()
	if err != nil {
		return err
	}
	if token = strings.TrimSpace(token); token == "" {
		return fmt.Errorf("the token is empty: \"party host token new\" on the server makes one")
	}
	l.Token = credentials.NewSecret(token)
	c, err := o.dial(ctx, s, l)
	if err != nil {
		return err
	}
	return o.keep(ctx, s, c, l)
}

// bySSH has the host make a token: who may get into the server may have one.
func (o *loginOptions) bySSH(ctx context.Context, s *streams, l credentials.Login) error {
	srv, h, err := o.findHost(ctx, s, l.Address)
	if err != nil {
		return err
	}
	if l.Token, err = newTokenBySSH(ctx, h); err != nil {
		return errors.Join(err, srv.Close())
	}
	return o.keep(ctx, s, through(srv, h, l), l)
}

// keep checks a login, keeps it and closes its client.
func (o *loginOptions) keep(ctx context.Context, s *streams, c *client.Client, l credentials.Login) error {
	defer c.Close()
	who, err := c.Whoami(ctx)
	if err != nil {
		return fmt.Errorf("check the token: %w", err)
	}
	file, err := credentials.Default()
	if err != nil {
		return err
	}
	if err := file.Set(l.Address, l.Token); err != nil {
		return err
	}
	return o.answer(s, identity{l.Address, who}, func() {
		s.printf("Logged in to %s with token %q.\n", l.Address, who.Token.Name)
	})
}

func newLogout(s *streams) *cobra.Command {
	var o hostOptions
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Forget the token for a host",
		Long: `logout forgets the token that login has kept. The token itself stays valid at the host: "party token
revoke" ends it.`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.logout(s)
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func (o *hostOptions) logout(s *streams) error {
	l, err := o.login(nil)
	if err != nil {
		return err
	}
	file, err := credentials.Default()
	if err != nil {
		return err
	}
	known, err := file.Delete(l.Address)
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("no token for %s is kept here", l.Address)
	}
	current, _, err := file.Hosts()
	if err != nil {
		return err
	}
	out := struct {
		Host    string `json:"host"`
		Current string `json:"current,omitempty"`
	}{l.Address, current}
	return o.answer(s, out, func() {
		s.printf("Logged out of %s.\n", l.Address)
		if current != "" {
			s.printf("Commands speak to %s from now on.\n", current)
		}
	})
}

// identity is who asks a host.
type identity struct {
	Address string `json:"address"`
	api.Whoami
}

func newWhoami(s *streams) *cobra.Command {
	var o hostOptions
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Say to which host commands speak, and as whom",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.whoami(cmd.Context(), s)
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func (o *hostOptions) whoami(ctx context.Context, s *streams) error {
	p, _ := findProject("") // only its target is of use here
	c, err := o.connect(ctx, s, p)
	if err != nil {
		return err
	}
	defer c.Close()
	who, err := c.Whoami(ctx)
	if err != nil {
		return err
	}
	return o.answer(s, identity{c.Name(), who}, func() {
		s.fields([][2]string{
			{"host", c.Name()},
			{"token", fmt.Sprintf("%s (%s)", who.Token.Name, who.Token.ID)},
			{"rights", rightsOf(&who.Token)},
			{"apps", appsOf(&who.Token)},
			{"expires", day(who.Token.Expires)},
			{"domain", who.Host.Domain},
			{"runs", fmt.Sprintf("party %s on %s", who.Host.Party, who.Host.System)},
		})
	})
}
