package devserver

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func TestKeysOnATerminal(t *testing.T) {
	p := newProject(t)
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(p.out, keys) }() // until the terminal is closed

	o := p.options()
	o.Stdin, o.Stdout = tty, tty
	p.run(o)
	first := p.waitReload()
	press := func(key byte) {
		if _, err := keys.Write([]byte{key}); err != nil {
			t.Fatal(err)
		}
	}
	press('r')
	if re := p.waitReload(); re.Build != first.Build+1 {
		t.Errorf("build %d after %d", re.Build, first.Build)
	}
	press(3) // control-C
	p.until("the end", func() bool { return strings.Contains(p.out.String(), "stopped") })
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if now, err := term.GetState(int(tty.Fd())); err != nil || *now != *before {
		t.Errorf("the terminal's mode is not what it was (%v)", err)
	}
	if out := p.out.String(); !strings.Contains(out, keyHelp) || strings.Count(out, "\n") != strings.Count(out, "\r\n") {
		t.Errorf("lines end wrongly, or the keys are not named:\n%q", out)
	}
}
