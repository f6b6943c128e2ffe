package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// Formats of answers.
const (
	formatPretty = "pretty"
	formatJSON   = "json"
)

// formatOptions choose how a command answers. With JSON nothing but the answer goes to stdout.
type formatOptions struct{ format string }

func (o *formatOptions) formatFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "format", "f", formatPretty, "how to answer: pretty or json")
}

func (o *formatOptions) validateFormat(cmd *cobra.Command) error {
	if o.format != formatPretty && o.format != formatJSON {
		return usagef(cmd, "--format is %q: want %s or %s", o.format, formatPretty, formatJSON)
	}
	return nil
}

func (o *formatOptions) asJSON() bool { return o.format == formatJSON }

// talk is where what is said besides the answer goes.
func (o *formatOptions) talk(s *streams) *streams {
	if o.asJSON() {
		return &streams{in: s.in, out: s.err, err: s.err}
	}
	return s
}

// answer gives v as JSON if that is wanted, and otherwise what pretty prints.
func (o *formatOptions) answer(s *streams, v any, pretty func()) error {
	if !o.asJSON() {
		pretty()
		return nil
	}
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// table prints rows below a head, in columns.
func (s *streams) table(head []string, rows [][]string) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	// There is nobody left to tell that stdout cannot be written.
	_ = w.Flush()
}

// fields prints names with their values, in columns. Values that are empty are left out.
func (s *streams) fields(rows [][2]string) {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	for _, r := range rows {
		if r[1] != "" {
			s.printf("%-*s  %s\n", width, r[0], r[1])
		}
	}
}

// plural counts things: "1 socket", "2 sockets".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// newGroup makes a command that only holds others.
func newGroup(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}
