//go:build !party_host

package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/diag"
	party "github.com/goparty-dev/party/runtime"
)

// command is a word that a built program knows.
type command struct {
	name, args, what string
	hidden           bool
	run              func(*invocation) int
}

// invocation is one run of a command.
type invocation struct {
	ctx            context.Context // ends with the first SIGINT or SIGTERM
	release        func()          // gives signals their usual effect back
	app            *party.App
	args           []string // behind the command
	stdout, stderr io.Writer
}

// commands are in the order of the help. Without one the program serves.
func commands() []command {
	return []command{
		{name: "serve", args: "[flags]", what: "serve rooms; what the program does without a command too", run: func(v *invocation) int {
			return run(v.ctx, v.release, v.app, v.args, v.stdout, v.stderr)
		}},
		{name: "upgrade", args: "NEWBINARY", what: "put a new version into a running \"serve --upgradable\"; no socket closes", run: runUpgrade},
		{name: "rollback", what: "go back to the version before", run: runRollback},
		{name: "status", what: "say which version a running \"serve --upgradable\" has", run: runStatus},
		{name: "plan", what: "say what this program would change if it took over from the version that serves", run: runPlan},
		{name: "backup", args: "FILE", what: "write a consistent copy of what rooms have stored, also while it is in use", run: runBackup},
		{name: "restore", args: "FILE", what: "make a backup the stored state", run: runRestore},
		{name: "rooms", args: "list|export|import", what: "list rooms with data, write one to a file, read one from a file", run: runRooms},
		{name: "health", what: "exit with 0 if the server with this --admin address can serve", run: runHealth},
		{name: "version", what: "say what was built, when from, and with what", run: runVersion},
		{name: "unpack", args: "FOLDER", what: "write down what is in this program", hidden: true, run: runUnpack},
		{name: "help", what: "show this", run: runHelp},
	}
}

// dispatch runs what the command line says and returns the exit code: 0 ok, 1 failure, 2 usage.
func dispatch(v *invocation) int {
	name := "serve"
	if len(v.args) > 0 && !strings.HasPrefix(v.args[0], "-") {
		name, v.args = v.args[0], v.args[1:]
	}
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c.run(v)
		}
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	fmt.Fprintf(v.stderr, "error: unknown command %q\n", name)
	hint := diag.DidYouMean(name, names)
	if hint == "" {
		hint = "the commands are " + strings.Join(names, ", ")
	}
	fmt.Fprintf(v.stderr, "  hint: %s\n", hint)
	return 2
}

func runHelp(v *invocation) int {
	fmt.Fprintf(v.stdout, "Usage: %s [command] [flags]\n\n", programName())
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(v.stdout, "  %-20s %s\n", strings.TrimSpace(c.name+" "+c.args), c.what)
		}
	}
	fmt.Fprintf(v.stdout, "\nThe flags of a command: %s COMMAND -h\n", programName())
	return 0
}

func (v *invocation) fail(err error) int {
	fmt.Fprintln(v.stderr, "error:", err)
	return 1
}

// flagSet makes the flags of a command. want names its arguments.
func (v *invocation) flagSet(name, want string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(v.stderr)
	set.Usage = func() {
		fmt.Fprintf(v.stderr, "Usage: %s\n", strings.TrimSpace(programName()+" "+name+" [flags] "+want))
		set.PrintDefaults()
	}
	return set
}

// parse reads flags, wherever they stand, and wants exactly n arguments. If it reports
// false, the command is over with the exit code.
func (v *invocation) parse(set *flag.FlagSet, n int) (args []string, code int, ok bool) {
	rest := v.args
	var plain []string // behind --, whatever they look like
	if n := slices.Index(rest, "--"); n >= 0 {
		rest, plain = rest[:n], rest[n+1:]
	}
	for {
		switch err := set.Parse(rest); {
		case errors.Is(err, flag.ErrHelp):
			return nil, 0, false
		case err != nil:
			return nil, 2, false
		}
		if set.NArg() == 0 {
			break
		}
		// Behind "--" nothing is a flag, whatever it looks like: rooms can have any name.
		if at := len(rest) - set.NArg(); at > 0 && rest[at-1] == "--" {
			args = append(args, set.Args()...)
			break
		}
		args, rest = append(args, set.Arg(0)), set.Args()[1:]
	}
	args = append(args, plain...)
	if len(args) != n {
		fmt.Fprintf(v.stderr, "error: %s wants %d arguments, not %d\n", set.Name(), n, len(args))
		set.Usage()
		return nil, 2, false
	}
	return args, 0, true
}

func dataFlag(set *flag.FlagSet) *string {
	return set.String("data", "./data", "`folder` of the durable state")
}

func programName() string {
	if len(os.Args) == 0 {
		return "app"
	}
	return os.Args[0][strings.LastIndexByte(os.Args[0], os.PathSeparator)+1:]
}
