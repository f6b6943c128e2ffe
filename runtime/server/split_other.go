//go:build !unix && !party_host

package server

import "fmt"

func become(string) error { return fmt.Errorf("%w: this system cannot", errExec) }

func (sp *split) upgradeOnSignal() (stop func()) { return func() {} }
