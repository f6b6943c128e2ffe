//go:build !unix && !party_host

package server

import (
	"fmt"
	"os"
)

func become(string) error { return fmt.Errorf("%w: this system cannot", errExec) }

func inheritable(*os.File) (int, error) { return 0, fmt.Errorf("%w: this system cannot", errExec) }

func (sp *split) upgradeOnSignal() (stop func()) { return func() {} }
