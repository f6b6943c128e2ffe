//go:build unix

package console

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Keys calls press for every key until the returned function is called, which
// gives the terminal its mode back and waits for the last call to end. In must be a
// terminal; until then control-C is a key (3) and no signal, and c ends its lines accordingly.
func (c *Console) Keys(in *os.File, press func(key byte)) (stop func() error, err error) {
	fd := int(in.Fd())
	var wake [2]int
	if err := unix.Pipe(wake[:]); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	unix.CloseOnExec(wake[0])
	unix.CloseOnExec(wake[1])
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read keys: %w", err), unix.Close(wake[0]), unix.Close(wake[1]))
	}
	c.setRaw(true)

	done := make(chan struct{})
	go func() {
		defer close(done)
		readKeys(fd, wake[0], press)
	}()
	return func() error {
		err := unix.Close(wake[1]) // wakes the reader
		<-done
		c.setRaw(false)
		return errors.Join(err, unix.Close(wake[0]), term.Restore(fd, old))
	}, nil
}

// readKeys returns when wake is closed or there are no more keys. A plain read
// could not be interrupted.
func readKeys(fd, wake int, press func(byte)) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	buf := make([]byte, 64)
	for {
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil || fds[1].Revents != 0 {
			return
		}
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		// An arrow key is several bytes that begin with escape: not letters somebody pressed.
		if n > 1 && buf[0] == 0x1b {
			continue
		}
		for _, key := range buf[:n] {
			press(key)
		}
	}
}
