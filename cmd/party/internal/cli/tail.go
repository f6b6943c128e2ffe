package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
)

type tailOptions struct {
	appOptions
	query    api.LogQuery
	statuses []string
	headers  []string
	sampling float64
	noFollow bool
}

func newTail(s *streams) *cobra.Command {
	var o tailOptions
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show what an app logs and answers, as it happens",
		Long: `tail shows the lines that an app logs, its requests, and its sockets as they open and close, until it is
interrupted. When the connection breaks it connects again and goes on where it was. Of several values of one
filter any may match; different filters must all match.

With --format json each line is a JSON object.`,
		Example: `  party tail --status error
  party tail --method POST --header X-Request-Id --search lobby
  party tail --lines 200 --no-follow`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.with(cmd, s, func(ctx context.Context, c *client.Client, app string) error { return o.run(ctx, s, c, app) })
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.statuses, "status", nil, "requests that ended with `ok`, error or canceled")
	f.StringSliceVar(&o.query.Methods, "method", nil, "requests with this `METHOD`")
	f.StringArrayVar(&o.headers, "header", nil, "requests with this header: `NAME` or NAME:VALUE; only as they happen")
	f.StringVar(&o.query.Search, "search", "", "lines with this `text` in the message or the URL, in upper or lower case")
	f.Float64Var(&o.sampling, "sampling-rate", 1, "`share` of the lines to show, above 0 and up to 1")
	f.StringSliceVar(&o.query.IPs, "ip", nil, "requests from this `address`; self is your own")
	f.StringSliceVar(&o.query.Conns, "conn", nil, "sockets of the connection with this `ID`")
	f.StringSliceVar(&o.query.Kinds, "kind", nil, "lines of this `kind`: "+strings.Join(lineKinds(), ", "))
	f.IntVar(&o.query.Lines, "lines", 0, fmt.Sprintf("begin with this many lines of the past, at most %d", api.MaxLines))
	f.BoolVar(&o.noFollow, "no-follow", false, "show lines of the past only")
	o.appFlags(cmd)
	return cmd
}

func lineKinds() []string {
	return []string{api.KindLog, api.KindRequest, api.KindOpen, api.KindClose, api.KindHost}
}

// validate makes the query. Its rules are those of the host.
func (o *tailOptions) validate(cmd *cobra.Command) error {
	if !(o.sampling > 0 && o.sampling <= 1) {
		return usagef(cmd, "--sampling-rate is %v: want a number above 0 and up to 1", o.sampling)
	}
	for _, status := range o.statuses {
		o.query.Outcomes = append(o.query.Outcomes, api.Outcome(strings.ToLower(status)))
	}
	for _, h := range o.headers {
		name, value, _ := strings.Cut(h, ":")
		o.query.Headers = append(o.query.Headers, api.HeaderMatch{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	for _, kind := range o.query.Kinds {
		if !slices.Contains(lineKinds(), kind) {
			return usagef(cmd, "--kind %q: want %s", kind, strings.Join(lineKinds(), ", "))
		}
	}
	if o.sampling != 1 {
		o.query.Sampling = o.sampling
	}
	o.query.Follow = !o.noFollow
	if o.noFollow && !cmd.Flags().Changed("lines") {
		o.query.Lines = 100
	}
	q, err := api.ParseLogQuery(o.query.Values())
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	o.query = *q
	return nil
}

func (o *tailOptions) run(ctx context.Context, s *streams, c *client.Client, app string) error {
	r := client.LogReader{Line: func(l api.LogLine) error {
		_, err := fmt.Fprintln(s.out, pretty(&l))
		return err
	}}
	if o.asJSON() {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		r.Line = func(l api.LogLine) error { return enc.Encode(l) }
	}
	if o.query.Follow {
		r.Opened = func() { fmt.Fprintf(s.err, "Following %s at %s. Ctrl+C ends it.\n", app, c.Name()) }
		r.Broken = func(err error) {
			reason := "it ended"
			if err != nil {
				reason = err.Error()
			}
			fmt.Fprintf(s.err, "party: the connection broke, connecting again: %s\n", reason)
		}
	}
	err := c.Logs(ctx, app, o.query, r)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // interrupted, as it is meant to end
	}
	return err
}
