package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxSecret bounds a value that is read from stdin, in bytes.
const maxSecret = 1 << 20

// terminal is the user's, if there is one to ask.
func (s *streams) terminal() (*os.File, bool) {
	f, ok := s.in.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// ask puts a question on stderr, so that stdout stays an answer, and reads one line.
func (s *streams) ask(question string) (string, error) {
	fmt.Fprint(s.err, question)
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && !(errors.Is(err, io.EOF) && line != "") {
		return "", errors.New("there was no answer")
	}
	return strings.TrimSpace(line), nil
}

// confirm asks for yes or no. Where there is nobody to ask it fails, and says that --yes is needed.
func (s *streams) confirm(what string) error {
	if _, ok := s.terminal(); !ok {
		return fmt.Errorf("%s: nobody can be asked here, so add --yes if that is what you want", what)
	}
	answer, err := s.ask(what + ". Go on? [y/N] ")
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done")
}

// confirmName is confirm for what cannot be undone: the name has to be typed.
func (s *streams) confirmName(what, name string) error {
	if _, ok := s.terminal(); !ok {
		return fmt.Errorf("%s: nobody can be asked here, so add --yes if that is what you want", what)
	}
	answer, err := s.ask(fmt.Sprintf("%s.\nType %s to go on: ", what, name))
	if err != nil {
		return err
	}
	if answer != name {
		return errors.New("that is another name: nothing was done")
	}
	return nil
}

// secret reads what nobody may see: from the terminal without showing it, otherwise all of stdin
// without its last line end.
func (s *streams) secret(prompt string) (string, error) {
	f, ok := s.terminal()
	if !ok {
		return s.pipedSecret()
	}
	fmt.Fprint(s.err, prompt)
	data, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(s.err)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	return string(data), nil
}

func (s *streams) pipedSecret() (string, error) {
	data, err := io.ReadAll(io.LimitReader(s.in, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read stdin: %w", err)
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("stdin has more than %d bytes", maxSecret)
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	return string(bytes.TrimSuffix(data, []byte("\r"))), nil
}
