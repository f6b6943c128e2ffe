package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/devserver"
	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/manifest"
)

type devOptions struct {
	place     string
	port      int
	portGiven bool
	host      string
	persist   string
	noPersist bool
	vars      []string
	noHotkeys bool
	admin     string

	parsedVars map[string]string
}

func newDev(s *streams) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev [server.go|dir]",
		Short: "Run the project, and swap the code in when a file is saved",
		Long: `dev generates, builds, runs, serves and watches. A saved file becomes running code in
the same rooms, with the same open sockets and the same storage.

It works from anywhere in the project. Without a party.json it serves the file or the
folder that is named, with defaults.`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.place = args[0]
			}
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context(), s)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.port, "port", 0, fmt.Sprintf("port to listen on; 0 is any free one (default: the manifest's, or %d and up)", manifest.DefaultPort))
	f.StringVar(&o.host, "host", "", "`address` to listen on (default: this machine only)")
	f.StringVar(&o.admin, "admin", "", "`address` for metrics, health and profiles, as host:port; :port is on this machine only (default: none)")
	f.StringVar(&o.persist, "persist", "", "`folder` of what rooms store (default: the manifest's, or "+manifest.DefaultPersist+")")
	f.BoolVar(&o.noPersist, "no-persist", false, "keep what rooms store in memory")
	f.StringArrayVar(&o.vars, "var", nil, "variable for the rooms, `NAME=value`, or NAME for one of the environment; repeatable")
	f.BoolVar(&o.noHotkeys, "no-hotkeys", false, "do not read keys from the terminal")
	return cmd
}

func (o *devOptions) validate(cmd *cobra.Command) error {
	o.portGiven = cmd.Flags().Changed("port")
	if o.port < 0 || o.port > 65535 {
		return usagef(cmd, "--port must be from 0 to 65535, not %d", o.port)
	}
	if o.noPersist && o.persist != "" {
		return usagef(cmd, "--persist and --no-persist exclude each other")
	}
	vars, err := manifest.ParseVars(o.vars, os.LookupEnv)
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	o.parsedVars = vars
	return nil
}

func (o *devOptions) run(ctx context.Context, s *streams) error {
	p, err := findProject(o.place)
	if err != nil {
		return err
	}
	persist := o.persist
	if persist != "" {
		if persist, err = filepath.Abs(persist); err != nil {
			return fmt.Errorf("find the folder of --persist: %w", err)
		}
	}
	var session generator.Session
	return devserver.Run(ctx, devserver.Options{
		Dir:          p.dir,
		Manifest:     p.path,
		Host:         o.host,
		Port:         o.port,
		PortExplicit: o.portGiven,
		Persist:      persist,
		NoPersist:    o.noPersist,
		Admin:        o.admin,
		Vars:         o.parsedVars,
		Generate: func(context.Context) (devserver.GenerateResult, error) {
			return p.generateForDev(&session)
		},
		Stdin:     s.in,
		NoHotkeys: o.noHotkeys,
		Stdout:    s.out,
	})
}

// generateForDev is what the dev server calls before each build. The
// manifest is read anew; while it has mistakes the last good one counts, and the dev server
// shows what is wrong with it.
func (p *project) generateForDev(session *generator.Session) (devserver.GenerateResult, error) {
	if p.path != "" {
		if m, list := manifest.Load(p.path); !list.HasErrors() {
			p.manifest = m
		}
	}
	o, err := p.generatorOptions()
	if err != nil {
		return devserver.GenerateResult{}, err
	}
	res, _, err := session.Generate(o)
	if err != nil {
		return devserver.GenerateResult{}, fmt.Errorf("generate: %w", err)
	}
	list := slices.Clone(res.Diagnostics) // the session keeps the result
	p.wantProgram(res.Model, &list)
	out := devserver.GenerateResult{Diagnostics: list, Inputs: res.Inputs, Searched: res.Searched}
	if list.HasErrors() {
		return out, nil
	}
	w, err := res.Write()
	if err != nil {
		return out, fmt.Errorf("write generated code: %w", err)
	}
	out.Changed = len(w.Changed)+len(w.Removed) > 0
	if res.Manifest != nil {
		out.Manifest = res.Manifest.Data
	}
	return out, nil
}
