//go:build unix && !party_host

package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// become replaces this process by another program, with the same arguments and number.
// It returns only if that fails.
func become(binary string) error {
	return fmt.Errorf("%w: %w", errExec, syscall.Exec(binary, os.Args, os.Environ()))
}

// inheritable returns a descriptor of a file that stays open when this process becomes another program.
func inheritable(f *os.File) (int, error) {
	defer f.Close()
	var fd int
	raw, err := f.SyscallConn()
	if err == nil {
		var failed error
		err = raw.Control(func(old uintptr) { fd, failed = unix.Dup(int(old)) }) // which is not closed on exec
		err = errors.Join(err, failed)
	}
	if err != nil {
		return 0, fmt.Errorf("pass a listener on: %w", err)
	}
	return fd, nil
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
			if err := sp.upgrade(ctx, order{bySignal: true}); err != nil && ctx.Err() == nil {
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
