package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/goparty-dev/party/analysis/partyvet"
	"github.com/goparty-dev/party/internal/diag"
)

func newVet(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "vet [packages]",
		Short: "Find mistakes in room code that compile",
		Long: `vet finds turns that wait, goroutines that touch their room, rooms in package variables,
connections in fields of rooms that hibernate, and persisted fields that have changed without a data migration. Packages are named as for go vet; by default it
looks at all below the working directory.`,
		Example: "  party vet ./...",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"./..."}
			}
			return s.vet(args)
		},
	}
}

func (s *streams) vet(patterns []string) error {
	// No analyzer needs facts of dependencies, so that their syntax is not read.
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax}, patterns...)
	if err != nil {
		return fmt.Errorf("load packages: %w", err)
	}
	var list diag.List
	for _, p := range loaded {
		for _, e := range p.Errors {
			list.Errorf(diag.Position{File: p.PkgPath}, "package", "%v", e)
		}
	}
	if list.HasErrors() {
		return list
	}
	graph, err := checker.Analyze(partyvet.Analyzers, loaded, nil)
	if err != nil {
		return fmt.Errorf("analyze packages: %w", err)
	}
	for action := range graph.All() {
		if action.Err != nil {
			return fmt.Errorf("analyze %s: %w", action.Package.PkgPath, action.Err)
		}
		for _, d := range action.Diagnostics {
			at := action.Package.Fset.Position(d.Pos)
			pos := diag.Position{File: filepath.Clean(at.Filename), Line: at.Line, Column: at.Column}
			list.Errorf(pos, action.Analyzer.Name, "%s", d.Message)
		}
	}
	return list.Sorted().Err()
}
