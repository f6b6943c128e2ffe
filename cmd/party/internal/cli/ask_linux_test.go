package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal: what the user has, and what the program has.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

func TestASecretIsNotShownOnTheTerminal(t *testing.T) {
	user, program := openTerminal(t)
	var out, errs bytes.Buffer
	s := &streams{in: program, out: &out, err: &errs}
	type result struct {
		text string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		text, err := s.secret("Token: ")
		got <- result{text, err}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// Only what is typed after the program has turned the echo off is not shown.
	for echoes(t, program) {
		select {
		case <-ctx.Done():
			t.Fatal("the terminal goes on showing what is typed")
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := user.WriteString("tok-123\n"); err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.text != "tok-123" || r.err != nil {
		t.Errorf("secret() = %q, %v", r.text, r.err)
	}
	if !echoes(t, program) {
		t.Error("the terminal does not show what is typed any more")
	}
	if out.Len() != 0 || errs.String() != "Token: \n" {
		t.Errorf("printed %q and %q", out.String(), errs.String())
	}
}
