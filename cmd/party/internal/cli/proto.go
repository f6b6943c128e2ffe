package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/generator"
	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/protocol"
	"github.com/goparty-dev/party/internal/revision"
)

func newProto(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "proto",
		Short: "See what clients rely on, and what a change breaks",
		Args:  atMost(0),
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProtoDiff(s))
	return cmd
}

type protoDiffOptions struct {
	from, to string // revisions; an empty one is the work tree
	place    string
	format   string
}

func newProtoDiff(s *streams) *cobra.Command {
	var o protoDiffOptions
	cmd := &cobra.Command{
		Use:   "diff REV[..REV] [server.go|dir]",
		Short: "Name what has changed in messages, events and public calls",
		Long: `diff compares what clients and the program tell each other: the messages that rooms take, the
events that they send, and the methods that clients may call. With one git revision it compares that with
the files as they are, with two, REV1..REV2, those with each other.

A breaking change keeps a client that was made for the older version from working with the newer one;
if there is any, the exit code is 1.`,
		Example: "  party proto diff main\n  party proto diff v1.0..v1.1 --format json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "give it a git revision")
			}
			return atMost(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var between bool
			o.from, o.to, between = strings.Cut(args[0], "..")
			switch {
			case o.from == "" || between && o.to == "" || strings.HasPrefix(o.to, "."):
				return usagef(cmd, "%q is neither a revision nor REV1..REV2", args[0])
			case o.format != "text" && o.format != "json":
				return usagef(cmd, "--format is text or json, not %q", o.format)
			}
			if len(args) > 1 {
				o.place = args[1]
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

func (o *protoDiffOptions) run(ctx context.Context, s *streams) error {
	place, err := filepath.Abs(o.place)
	if err != nil {
		return fmt.Errorf("find the project: %w", err)
	}
	near := place
	for {
		if info, err := os.Stat(near); err == nil && info.IsDir() || near == filepath.Dir(near) {
			break
		}
		near = filepath.Dir(near)
	}
	repo, err := revision.Find(ctx, near)
	if err != nil {
		return err
	}
	old, err := s.protocolAt(ctx, repo, o.from, place)
	if err != nil {
		return err
	}
	var now *protocol.Protocol
	if o.to == "" {
		now, err = s.protocolOf(o.place, shown)
	} else {
		now, err = s.protocolAt(ctx, repo, o.to, place)
	}
	if err != nil {
		return err
	}
	return o.tell(s, protocol.Compare(old, now))
}

// protocolAt reads the project as it was at a revision. Positions are as git has them: REV:path.
func (s *streams) protocolAt(ctx context.Context, repo *revision.Repository, rev, place string) (*protocol.Protocol, error) {
	rel, err := repo.Rel(place)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "party-proto-")
	if err != nil {
		return nil, fmt.Errorf("make room for revision %s: %w", rev, err)
	}
	defer os.RemoveAll(dir)
	// The generator makes paths absolute by the working directory, which has no links in it.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("make room for revision %s: %w", rev, err)
	}
	if err := repo.Export(ctx, rev, dir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, rel)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("revision %s has no Go source in %s", rev, shown(place))
	}
	return s.protocolOf(filepath.Join(dir, rel), func(path string) string {
		below, err := filepath.Rel(dir, path)
		if err != nil || !filepath.IsLocal(below) {
			return path
		}
		return rev + ":" + filepath.ToSlash(below)
	})
}

// protocolOf reads the protocol of a project. Paths in it, and in what is reported, are as name has them.
func (s *streams) protocolOf(place string, name func(path string) string) (*protocol.Protocol, error) {
	p, err := findProject(place)
	var list diag.List
	if errors.As(err, &list) {
		return nil, renamed(list, name)
	}
	if err != nil {
		return nil, err
	}
	opts, err := p.generatorOptions()
	if err != nil {
		return nil, err
	}
	if opts.Manifest != nil {
		opts.Manifest.Source, opts.Manifest.Client = nil, "" // neither is any of this command's business
	}
	res, err := generator.Generate(opts)
	if err != nil {
		return nil, fmt.Errorf("read the protocol: %w", err)
	}
	if res.Diagnostics.HasErrors() {
		return nil, renamed(res.Diagnostics, name)
	}
	out := res.Model.Protocol()
	out.Rename(name)
	return out, nil
}

// renamed changes the paths of diagnostics.
func renamed(list diag.List, name func(string) string) diag.List {
	out := make(diag.List, len(list))
	for i, d := range list {
		d.Pos.File = name(d.Pos.File)
		related := make([]diag.Related, len(d.Related))
		for n, r := range d.Related {
			r.Pos.File = name(r.Pos.File)
			related[n] = r
		}
		d.Related = related
		out[i] = d
	}
	return out
}

func (o *protoDiffOptions) tell(s *streams, changes []protocol.Change) error {
	breaking := 0
	for _, c := range changes {
		if c.Breaking {
			breaking++
		}
	}
	to := o.to
	if to == "" {
		to = "the work tree"
	}
	if o.format == "json" {
		if changes == nil {
			changes = []protocol.Change{}
		}
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		err := enc.Encode(struct {
			From     string            `json:"from"`
			To       string            `json:"to"` // empty: the work tree
			Breaking int               `json:"breaking"`
			Changes  []protocol.Change `json:"changes"`
		}{o.from, o.to, breaking, changes})
		if err != nil {
			return fmt.Errorf("write the changes: %w", err)
		}
	} else {
		for _, c := range changes {
			s.printf("%s\n", c)
		}
		switch len(changes) {
		case 0:
			s.printf("Nothing has changed for clients between %s and %s.\n", o.from, to)
		default:
			s.printf("Between %s and %s: %d breaking, %d compatible.\n", o.from, to, breaking, len(changes)-breaking)
		}
	}
	if breaking > 0 {
		return errReported
	}
	return nil
}
