//go:build !unix

package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func newHost(*streams) *cobra.Command {
	return &cobra.Command{
		Use:   "host",
		Short: "Run many apps on a server of your own",
		RunE:  func(*cobra.Command, []string) error { return errors.New("party host needs a Unix system") },
	}
}
