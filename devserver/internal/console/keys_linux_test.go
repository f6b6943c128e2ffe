package console

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal opens a pseudo terminal: the side where keys are pressed, and the other.
func terminal(t *testing.T) (keys, tty *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return keys, tty
}

func TestKeys(t *testing.T) {
	keys, tty := terminal(t)
	if !IsTerminal(tty) {
		t.Fatal("the pseudo terminal is none")
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	c := New(tty)
	pressed := make(chan byte, 10)
	stop, err := c.Keys(tty, func(key byte) { pressed <- key })
	if err != nil {
		t.Fatal(err)
	}
	if during, err := term.GetState(int(tty.Fd())); err != nil || *during == *before {
		t.Errorf("the terminal's mode has not changed (%v)", err)
	}
	for _, key := range []byte{'r', 3} {
		if _, err := keys.Write([]byte{key}); err != nil {
			t.Fatal(err)
		}
		if got := <-pressed; got != key {
			t.Errorf("pressed %d, want %d", got, key)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if after, err := term.GetState(int(tty.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal's mode is not what it was (%v)", err)
	}
}
