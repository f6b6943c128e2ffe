package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/diag"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs one command and returns its exit code: 0 when it did what it was asked, 1 when it
// could not, 2 when the command line is wrong. SIGINT and SIGTERM end the command in good order, a
// second one at once.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // the second signal has its usual effect
	}()
	s := &streams{in: stdin, out: stdout, err: stderr}
	root := newRoot(s, args)
	root.SetArgs(args)
	return s.finish(root.ExecuteContext(ctx))
}

func newRoot(s *streams, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "party",
		Short: "Live multiplayer servers in Go",
		Long: `party turns a Go file with annotated types into a live multiplayer server.

  party init chat     make a project
  party dev           run it, and swap the code in whenever a file is saved
  party build         make one static binary of it
  party deploy        ship it to a server with party host, with every socket open`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// "party dve --port 1": the flag is unknown because the command is.
		if word := firstWord(args); cmd == root && word != "" {
			return unknownCommand(cmd, word)
		}
		return flagError(cmd, err)
	})
	root.AddCommand(
		newInit(s), newAdd(s), newDev(s), newGenerate(s), newBuild(s), newMigrations(s), newProto(s), newVet(s), newVersion(s),
		newDeploy(s), newRollback(s), newVersions(s), newTail(s), newEnv(s), newBackup(s), newPull(s), newPush(s), newList(s), newInfo(s), newDelete(s),
		newLogin(s), newLogout(s), newWhoami(s), newToken(s), newHost(s),
	)
	return root
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func (s *streams) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// errReported is a failure that has been explained to the user already.
var errReported = errors.New("reported")

// finish tells the user how a command ended and returns the exit code.
func (s *streams) finish(err error) int {
	var usage *usageError
	var list diag.List
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "party: %v\n", usage)
		if usage.hint != "" {
			fmt.Fprintf(s.err, "  hint: %s\n", usage.hint)
		}
		fmt.Fprintf(s.err, "Run \"%s --help\" for usage.\n", usage.command)
		return exitUsage
	case errors.As(err, &list):
		s.report(list)
	case !errors.Is(err, errReported):
		fmt.Fprintf(s.err, "party: %v\n", err)
	}
	return exitFailure
}
