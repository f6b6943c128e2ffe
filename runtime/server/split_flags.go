//go:build !party_host

package server

import (
	"flag"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
)

// splitFlags are the flags of a server that can be upgraded.
func (f *flags) splitFlags(set *flag.FlagSet) (upgradable *bool) {
	f.split = &splitOptions{vars: func(m *manifest.Manifest) (map[string]any, error) {
		vars, _, list := manifest.LoadVars(m, ".", false, f.vars)
		if list.HasErrors() {
			return nil, list.Err()
		}
		return vars, nil
	}}
	set.DurationVar(&f.split.probation, "probation", 30*time.Second, "with --upgradable: how long a new version must go on without crashing")
	set.IntVar(&f.split.crashes, "probation-crashes", 1, "with --upgradable: after how many crashes on probation the version before serves again")
	return set.Bool("upgradable", false, "run the rooms in a process of their own, so that \"upgrade NEWBINARY\" puts in a new version without closing a socket")
}

// orders are the ways in which a running server is told what to do.
type orders struct {
	control *control
	stop    func() // of the signal
}

// takeOrders listens on the control socket and for SIGUSR2; a server that cannot be upgraded takes none.
func (s *Server) takeOrders() (*orders, error) {
	if s.split == nil {
		return nil, nil
	}
	c, err := listenControl(s.split)
	if err != nil {
		return nil, err
	}
	return &orders{c, s.split.upgradeOnSignal()}, nil
}

// close may be called on nil.
func (o *orders) close() error {
	if o == nil {
		return nil
	}
	o.stop()
	return o.control.close()
}
