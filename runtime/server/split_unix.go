//go:build unix && !party_host

package server

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// become replaces this process by another program, with the same arguments and number.
// It returns only if that fails.
func become(binary string) error {
	return fmt.Errorf("%w: %w", errExec, syscall.Exec(binary, os.Args, os.Environ()))
}

// upgradeOnSignal upgrades to the program on disk whenever SIGUSR2 comes, until the returned
// function is called.
func (sp *split) upgradeOnSignal() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			if err := sp.upgrade(ctx, "", nil); err != nil && ctx.Err() == nil {
				sp.log.Error("upgrade on SIGUSR2", "err", err)
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		cancel()
		<-ended
	}
}
