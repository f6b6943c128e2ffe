package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/credentials"
)

func newToken(s *streams) *cobra.Command {
	return newGroup("token", "Make, list and end the tokens of a host",
		`Tokens are what a host knows its users by. Each has rights (read, deploy, env, data, admin), in all
apps or in those it names. These commands need the right admin for all apps.`,
		newTokenGenerate(s), newTokenList(s), newTokenRevoke(s))
}

type tokenOptions struct {
	hostOptions
	name    string
	apps    []string
	rights  []string
	expires string
}

func newTokenGenerate(s *streams) *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make a token, for a colleague or for CI",
		Long: `generate prints a new token on stdout. It is shown this once. In CI set ` + credentials.EnvHost + ` and ` + credentials.EnvToken + `.
`,
		Example: "  party token generate --name ci --app chat --right read --right deploy --expires 90d",
		Args:    atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := o.validate(cmd)
			if err != nil {
				return err
			}
			return o.generate(cmd.Context(), s, n)
		},
	}
	cmd.Flags().StringVar(&o.name, "name", "", "what to call it, so that it can be told from others (required)")
	o.tokenFlags(cmd)
	o.hostFlags(cmd)
	return cmd
}

// tokenFlags say what a token is to be good for.
func (o *tokenOptions) tokenFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.apps, "app", nil, "`app` that it is for, with its previews; may be given several times (default: all)")
	cmd.Flags().StringSliceVar(&o.rights, "right", nil, "`right` that it has: "+rightNames()+"; may be given several times (default: all but admin)")
	cmd.Flags().StringVar(&o.expires, "expires", "", "how long it is valid: 12h, 90d (default: for ever)")
}

func rightNames() string {
	var names []string
	for _, r := range api.Rights() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

func (o *tokenOptions) validate(cmd *cobra.Command) (api.NewToken, error) {
	n := api.NewToken{Name: o.name, Apps: o.apps}
	if o.name == "" {
		return n, usagef(cmd, "give the token a name with --name, so that it can be told from others")
	}
	for _, app := range o.apps {
		if err := api.CheckInstance(app); err != nil {
			return n, usagef(cmd, "%v", err)
		}
	}
	for _, r := range o.rights {
		if !slices.Contains(api.Rights(), api.Right(r)) {
			return n, usagef(cmd, "there is no right %q: the rights are %s", r, rightNames())
		}
		n.Rights = append(n.Rights, api.Right(r))
	}
	if o.expires != "" {
		d, err := duration(o.expires)
		if err != nil {
			return n, usagef(cmd, "--expires %q: want a time such as 12h or 90d", o.expires)
		}
		n.ExpiresIn = int64(d / time.Second)
	}
	return n, o.validateFormat(cmd)
}

// duration reads a positive time of whole seconds, in days or what time.ParseDuration takes.
func duration(text string) (time.Duration, error) {
	var d time.Duration
	var err error
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if n > 36500 {
			return 0, fmt.Errorf("%q is more than a hundred years", text)
		}
		d = time.Duration(n) * 24 * time.Hour
	} else {
		d, err = time.ParseDuration(text)
	}
	if err == nil && d < time.Second {
		err = fmt.Errorf("%q is no time to come", text)
	}
	return d, err
}

func (o *tokenOptions) generate(ctx context.Context, s *streams, n api.NewToken) error {
	c, err := o.connect(ctx, s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	made, err := c.NewToken(ctx, n)
	if err != nil {
		return err
	}
	return o.answerMade(s, &made)
}

func (o *formatOptions) answerMade(s *streams, made *api.TokenMade) error {
	return o.answer(s, made, func() {
		fmt.Fprintf(s.err, "Token %s (%s) for %s, with the rights %s. It is shown this once:\n", made.Name, made.ID, appsOf(&made.Token), rightsOf(&made.Token))
		s.printf("%s\n", made.Secret)
	})
}

func newTokenList(s *streams) *cobra.Command {
	var o hostOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens of a host",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.listTokens(cmd.Context(), s)
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func (o *hostOptions) listTokens(ctx context.Context, s *streams) error {
	c, err := o.connect(ctx, s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	tokens, err := c.Tokens(ctx)
	if err != nil {
		return err
	}
	return o.answerTokens(s, tokens)
}

func (o *formatOptions) answerTokens(s *streams, tokens []api.Token) error {
	return o.answer(s, notNil(tokens), func() {
		var rows [][]string
		for _, t := range tokens {
			rows = append(rows, []string{t.ID, t.Name, rightsOf(&t), appsOf(&t), t.Created.Format(time.DateOnly), day(t.LastUsed), day(t.Expires)})
		}
		s.table([]string{"ID", "NAME", "RIGHTS", "APPS", "MADE", "LAST USED", "EXPIRES"}, rows)
	})
}

func newTokenRevoke(s *streams) *cobra.Command {
	var o hostOptions
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token",
		Args:  exactly(1, "the ID of the token, as \"party token list\" shows it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validateFormat(cmd); err != nil {
				return err
			}
			return o.revokeToken(cmd.Context(), s, args[0])
		},
	}
	o.hostFlags(cmd)
	return cmd
}

func (o *hostOptions) revokeToken(ctx context.Context, s *streams, id string) error {
	c, err := o.connect(ctx, s, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.RevokeToken(ctx, id); err != nil {
		return err
	}
	return o.answerRevoked(s, id)
}

func (o *formatOptions) answerRevoked(s *streams, id string) error {
	out := struct {
		Revoked string `json:"revoked"`
	}{id}
	return o.answer(s, out, func() { s.printf("Token %s is of no use any more.\n", id) })
}

func rightsOf(t *api.Token) string {
	var words []string
	for _, r := range t.Rights {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

func appsOf(t *api.Token) string {
	if len(t.Apps) == 0 {
		return "all apps"
	}
	return strings.Join(t.Apps, ", ")
}

// day is a date, "-" for none.
func day(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateOnly)
}

// notNil makes an empty list one that is [] in JSON.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
