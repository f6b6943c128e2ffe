//go:build unix

package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting"
	"github.com/goparty-dev/party/internal/hosting/access"
)

// localTokens are the tokens of a host, looked at on the server itself.
type localTokens struct {
	tokenOptions
	data string
}

func newHostToken(s *streams) *cobra.Command {
	return newGroup("token", "Make, list and revoke tokens, on the server itself",
		`token works on the host's folder: the host need not run, and knows of a change at once if it does.
It is how the first token is made; with that one, party token works from elsewhere.`,
		newHostTokenNew(s), newHostTokenList(s), newHostTokenRevoke(s))
}

func (o *localTokens) dataFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.data, "data", hosting.DefaultData, "`folder` of the host")
	o.formatFlag(cmd)
}

func (o *localTokens) open() (*access.Tokens, error) {
	if info, err := os.Stat(o.data); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %s: start the host once, or name its folder with --data", o.data)
	}
	return access.OpenTokens(hosting.TokensFile(o.data))
}

func newHostTokenNew(s *streams) *cobra.Command {
	var o localTokens
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a token and show it, once",
		Long:  "new makes a token. NAME says whose it is. It is shown this once: only its hash is kept.",
		Args:  exactly(1, "a name that says whose token it is"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			n, err := o.validate(cmd)
			if err != nil {
				return err
			}
			tokens, err := o.open()
			if err != nil {
				return err
			}
			made, err := tokens.Make(n)
			if err != nil {
				return err
			}
			return o.answerMade(s, made)
		},
	}
	o.tokenFlags(cmd)
	o.dataFlags(cmd)
	return cmd
}

func newHostTokenList(s *streams) *cobra.Command {
	var o localTokens
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens, without what they prove themselves with",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			tokens, err := o.open()
			if err != nil {
				return err
			}
			list, err := tokens.List()
			if err != nil {
				return err
			}
			return o.answerTokens(s, list)
		},
	}
	o.dataFlags(cmd)
	return cmd
}

func newHostTokenRevoke(s *streams) *cobra.Command {
	var o localTokens
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke a token, at once",
		Args:  exactly(1, "the ID of the token, as \"party host token list\" shows it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			tokens, err := o.open()
			if err != nil {
				return err
			}
			if err := tokens.Revoke(args[0]); err != nil {
				return fmt.Errorf("revoke %q: %w", args[0], err)
			}
			return o.answerRevoked(s, args[0])
		},
	}
	o.dataFlags(cmd)
	return cmd
}
