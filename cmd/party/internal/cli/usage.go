package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goparty-dev/party/internal/diag"
)

// usageError is a command line that means nothing.
type usageError struct {
	command string // whose help is of use
	message string
	hint    string
}

func (e *usageError) Error() string { return e.message }

func usagef(cmd *cobra.Command, format string, args ...any) *usageError {
	return &usageError{command: cmd.CommandPath(), message: fmt.Sprintf(format, args...)}
}

func unknownCommand(root *cobra.Command, word string) error {
	e := usagef(root, "unknown command %q", word)
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	if e.hint = diag.DidYouMean(word, names); e.hint == "" {
		e.hint = "the commands are " + strings.Join(names, ", ")
	}
	return e
}

func flagError(cmd *cobra.Command, err error) error {
	e := usagef(cmd, "%v", err)
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return e
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := diag.Suggest(unknown.GetSpecifiedName(), names); near != "" {
		e.hint = fmt.Sprintf("did you mean --%s?", near)
	}
	return e
}

// firstWord returns the first argument that is not a flag.
func firstWord(args []string) string {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			return a
		}
	}
	return ""
}

// atMost allows up to n arguments, which usage names.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef(cmd, "unexpected argument %q", args[n])
		}
		return nil
	}
}
