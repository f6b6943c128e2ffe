package devserver

import (
	"os"

	"github.com/goparty-dev/party/devserver/internal/console"
)

const keyHelp = "b open browser · r rebuild · c clear · x stop"

// readKeys listens to the keyboard if there is one. The returned function ends that.
func (s *server) readKeys(hurry func()) (stop func() error, err error) {
	in, ok := s.opts.Stdin.(*os.File)
	if !ok || s.opts.NoHotkeys || !console.IsTerminal(in) {
		return func() error { return nil }, nil
	}
	stopped := false
	return s.console.Keys(in, func(key byte) {
		if s.press(key) {
			if stopped {
				hurry() // the second time
			}
			stopped = true
		}
	})
}

// press does what a key stands for, and reports whether it means to stop.
func (s *server) press(key byte) bool {
	switch key {
	case 'b', 'B':
		if err := console.OpenBrowser(s.url); err != nil {
			s.console.Line(s.console.Warn(err.Error()))
		}
	case 'r', 'R':
		s.send(rebuild{})
	case 'c', 'C':
		s.console.Clear()
	case '\r', '\n':
		s.console.Line("")
	case 'x', 'X', 'q', 'Q', 3:
		s.send(stop{})
		return true
	}
	return false
}
